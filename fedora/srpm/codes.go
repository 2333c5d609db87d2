package srpm

import "specgraft/overlay/diag"

// WriteCodes are the diagnostics about writing source packages.
var WriteCodes = []diag.Code{
	{ID: "srpm/payload", Default: diag.Error, Summary: "the payload of a source package cannot be compressed in that way",
		Doc: "%_source_payload of the macro set says how: w9.gzdio, w7.xzdio, w19.zstdio, w9.lzdio, or w.ufdio for no compression. Payloads in bzip2 can be read, but not written."},
	{ID: "srpm/source", Default: diag.Error, Summary: "a file that belongs into a source package is not there",
		Doc: "The spec names a source or patch that is neither among the files of the packaging nor in the sources file. Add it to one of them, or remove the line."},
	{ID: "srpm/unknown", Default: diag.Error, Summary: "what a source package says of itself cannot be known without executing the spec",
		Doc: "A name, version, dependency or file of the spec depends on the machine or on the output of a command. Give the value with --define, or import the macros of the build with `specgraft macros import`."},
	{ID: "srpm/changelog", Default: diag.Warning, Summary: "an entry of %changelog cannot be read",
		Doc: "rpm leaves out the entry and all behind it. An entry begins with a star, a date such as Mon Jan 02 2006, and a name; the newest stands first."},
}
