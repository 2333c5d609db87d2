// Package specs has the commands that work on a spec or a source RPM without a
// project.
package specs
