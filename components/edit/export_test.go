package edit

// InlineOverlay is for the tests, which read what it writes as a project does.
var InlineOverlay = inlineOverlay
