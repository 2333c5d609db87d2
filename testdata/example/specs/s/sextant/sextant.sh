#!/bin/sh
# where are we?
exec /usr/libexec/sextant "$@"
