#!/bin/sh
# Writes the message of this tide.
exec /usr/bin/hello-harbor --tides > /run/motd.d/60-tide
