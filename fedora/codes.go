// Package fedora reads upstream packaging: dist-git repositories through a
// local mirror, source RPMs, and the lookaside cache of big files.
//
// All work on git repositories is done by the git program, the only child
// process there is, started in a way that no configuration file, hook,
// attribute or remote helper of a repository can make it run something else.
// Nothing that upstream ships is executed, and no name that upstream chose
// becomes a path outside of where it belongs.
package fedora

import "specgraft/overlay/diag"

// Codes documents the diagnostics of this package about repositories.
var Codes = []diag.Code{}
