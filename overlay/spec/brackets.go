package spec

// Brackets counts the brackets of macros that are open: rpm reads on in the next
// line until all of them are closed, see copyNextLineFromOFI.
type Brackets struct{ Brace, Paren, Square int }

// Open reports whether any is open.
func (b *Brackets) Open() bool { return b.Brace|b.Paren|b.Square != 0 }

// Macro counts the byte behind a percent sign. It is false for one that opens
// nothing.
func (b *Brackets) Macro(c byte) bool {
	switch c {
	case '{':
		b.Brace++
	case '(':
		b.Paren++
	case '[':
		b.Square++
	default:
		return false
	}
	return true
}

// Inner counts a bracket without a percent sign, which counts inside of those of
// its kind only.
func (b *Brackets) Inner(c byte) {
	switch c {
	case '{':
		b.Brace += min(b.Brace, 1)
	case '}':
		b.Brace -= min(b.Brace, 1)
	case '(':
		b.Paren += min(b.Paren, 1)
	case ')':
		b.Paren -= min(b.Paren, 1)
	case '[':
		b.Square += min(b.Square, 1)
	case ']':
		b.Square -= min(b.Square, 1)
	}
}
