package cli

import (
	"io"
	"os"
	"sync"

	"golang.org/x/term"

	"specgraft/overlay/regex"
)

// A terminal is a terminal that is written to. What a spec or another input
// says must not reach it as commands: control characters are shown as "?",
// except for the few sequences that we write ourselves.
type terminal struct {
	file *os.File
	*screen
	held []byte // the beginning of a sequence whose rest may come
}

// A screen is what stdout and stderr have in common when both are terminals.
type screen struct {
	mu     sync.Mutex
	status bool // the status line stands where the cursor is
	open   bool // a line stands there whose end has not come yet
}

// ownSequence is what our colours are made of. Others could hide text.
var ownSequence = regex.Once(`^\x1b\[(?:0|1|2|3[1236]|1;3[13])m`)

// maybeOwn is the beginning of such a sequence.
var maybeOwn = regex.Once(`^\x1b(?:\[[0-9;]{0,4})?$`)

// forTerminal returns w, guarded when it is a terminal.
func forTerminal(w io.Writer, s *screen) io.Writer {
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return &terminal{file: f, screen: s}
	}
	return w
}

// isTerminal reports whether w is a terminal.
func isTerminal(w io.Writer) bool {
	_, ok := w.(*terminal)
	return ok
}

// Write writes p with its control characters made harmless, in the place of the
// status line.
func (t *terminal) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	out, held := harmless(append(t.held, p...))
	t.held = held
	if len(out) > 0 {
		t.open = out[len(out)-1] != '\n'
	}
	if t.status {
		t.status = false
		out = append([]byte(eraseLine), out...)
	}
	if _, err := t.file.Write(out); err != nil {
		return 0, err
	}
	return len(p), nil
}

// eraseLine takes away the line that the cursor is in.
const eraseLine = "\r\x1b[K"

// setStatus replaces the status line; an empty one takes it away. There is none
// while another line is not at its end.
func (t *terminal) setStatus(line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.open || line == "" && !t.status {
		return
	}
	out, _ := harmless([]byte(line))
	t.status = line != ""
	t.file.WriteString(eraseLine + string(out))
}

// harmless replaces control characters by question marks. It holds back what may
// be the first half of a sequence, of a line end or of a character. A carriage
// return inside of a line would let what follows it hide what stands before.
func harmless(p []byte) (out, held []byte) {
	out = make([]byte, 0, len(p))
	for i := 0; i < len(p); i++ {
		switch b := p[i]; {
		case b == 0x1b:
			if own := ownSequence().Find(p[i:]); own != nil {
				out = append(out, own...)
				i += len(own) - 1
			} else if maybeOwn().Match(p[i:]) {
				return out, append([]byte{}, p[i:]...)
			} else {
				out = append(out, '?')
			}
		case b == '\r' && i+1 == len(p):
			return out, []byte{b}
		case b == '\r' && p[i+1] == '\n':
			out = append(out, b)
		case b < ' ' && b != '\n' && b != '\t', b == 0x7f:
			out = append(out, '?')
		case b == 0xc2 && i+1 == len(p):
			return out, []byte{b}
		case b == 0xc2 && p[i+1] >= 0x80 && p[i+1] < 0xa0: // the C1 controls
			out = append(out, '?')
			i++
		case b == 0xe2 && i+2 >= len(p):
			return out, append([]byte{}, p[i:]...)
		case b == 0xe2 && turnsText(p[i+1], p[i+2]):
			out = append(out, '?')
			i += 2
		default:
			out = append(out, b)
		}
	}
	return out, nil
}

// turnsText reports whether a character that begins with the byte 0xe2 is one
// that turns the direction of the text behind it (U+202A to U+202E and U+2066 to
// U+2069), which lets a line read in another order than rpm reads it.
func turnsText(b, c byte) bool {
	return b == 0x80 && 0xaa <= c && c <= 0xae || b == 0x81 && 0xa6 <= c && c <= 0xa9
}
