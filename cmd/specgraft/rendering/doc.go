// Package rendering has the commands that render a project, check what is
// rendered, and prepare, plan and attest its build.
package rendering
