// Package config has the commands that write configuration.
package config
