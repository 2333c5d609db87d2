package macro

import (
	"strconv"
	"strings"
)

// quote surrounds an argument that came through %{quote:…}: blanks inside do
// not split it, and it may be empty.
const quote = '\x1f'

// arguments reads the arguments of a reference. opts is a getopt string; "-"
// switches the processing of options off. It returns nil when the options are
// wrong. The second result is where the text goes on.
func (e *Evaluator) arguments(r ref, s string, opts string) (*call, int) {
	c := &call{name: r.name}
	end := r.end
	switch {
	case r.hasArg:
		c.raw = []string{e.unquote(e.sub(r.arg))}
	case r.hasArgs:
		text := r.args
		if !r.brace {
			end = r.nameEnd + len(text)
			if strings.HasSuffix(text, `\`) && end < len(s) {
				end++ // the escaped newline belongs to the arguments
			}
		}
		c.raw = e.words(e.sub(text))
	}
	if e.failed != "" {
		return nil, end
	}
	for i, a := range c.raw {
		if t := taint(a); t != "" {
			c.taint = t
			// An unknown word can be several or none: what stands behind it
			// is not known to be the n-th argument.
			if !r.hasArg {
				for j := i + 1; j < len(c.raw); j++ {
					if !hasUnknown(c.raw[j]) {
						c.raw[j] += t
					}
				}
			}
			break
		}
	}
	if opts == "-" {
		c.args = c.raw
		return c, end
	}
	if !e.getopt(c, opts) {
		return nil, end
	}
	return c, end
}

// getopt sorts options from arguments with the rules of GNU getopt: options
// may stand behind arguments, "--" ends them.
func (e *Evaluator) getopt(c *call, opts string) bool {
	permute := true
	if strings.HasPrefix(opts, "+") {
		permute, opts = false, opts[1:]
	}
	for i := 0; i < len(c.raw); i++ {
		w := c.raw[i]
		if w == "--" {
			c.args = append(c.args, c.raw[i+1:]...)
			break
		}
		if len(w) < 2 || w[0] != '-' {
			if !permute {
				c.args = append(c.args, c.raw[i:]...)
				break
			}
			c.args = append(c.args, w)
			continue
		}
		for j := 1; j < len(w); j++ {
			o := w[j]
			k := strings.IndexByte(opts, o)
			if o == mark {
				break
			}
			if k < 0 || o == ':' {
				e.fail("macro/syntax", "%%%s has no option -%s (it takes %q)", c.name, strconv.QuoteRune(rune(o))[1:2], opts)
				return false
			}
			if c.flags == nil {
				c.flags = map[byte]bool{}
			}
			c.flags[o] = true
			if k+1 < len(opts) && opts[k+1] == ':' {
				var val string
				switch {
				case j+1 < len(w):
					val = w[j+1:]
				case k+2 < len(opts) && opts[k+2] == ':':
					// an optional argument must be glued to the option
					delete(c.options, o)
					continue
				case i+1 < len(c.raw):
					i++
					val = c.raw[i]
				default:
					e.fail("macro/syntax", "option -%c of %%%s needs an argument", o, c.name)
					return false
				}
				if c.options == nil {
					c.options = map[byte]string{}
				}
				c.options[o] = val
				break
			}
			delete(c.options, o)
		}
	}
	return true
}

// words splits at blanks, except inside %{quote:…}.
func (e *Evaluator) words(s string) []string {
	if strings.IndexByte(s, quote) < 0 {
		return strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == '\t' })
	}
	var out []string
	for i := 0; i < len(s); {
		if s[i] == ' ' || s[i] == '\t' {
			i++
			continue
		}
		var w []byte
		quoted := false
		for i < len(s) && (quoted || s[i] != ' ' && s[i] != '\t') {
			if s[i] == quote {
				quoted = !quoted
			} else {
				w = append(w, s[i])
			}
			i++
		}
		out = append(out, string(w))
	}
	return out
}

func (e *Evaluator) unquote(s string) string {
	if strings.IndexByte(s, quote) < 0 {
		return s
	}
	return strings.ReplaceAll(s, string(quote), "")
}

// The automatic macros exist only while the macro they belong to expands.
type autoKind int

const (
	autoNone   autoKind = iota
	autoText            // inserted as it is
	autoOption          // %{-f}, %{-f:…}: nothing when the option was not given
)

// auto tells whether a reference means an automatic macro.
func (e *Evaluator) auto(r *ref) autoKind {
	n := r.name
	switch {
	case n[0] == '-':
		return autoOption
	case n == "*" || n == "**" || n == "#":
		if e.frame == nil {
			return autoNone
		}
		return autoText
	case '0' <= n[0] && n[0] <= '9':
		if e.frame == nil {
			return autoNone
		}
		return autoText
	}
	return autoNone
}

// invokeOption expands a reference to an option that a macro was called with.
func (e *Evaluator) invokeOption(dst []byte, r ref) []byte {
	given := false
	var val string
	if c := e.frame; c != nil && len(r.name) >= 2 && (len(r.name) == 2 || r.name[2:] == "*") {
		o := r.name[1]
		given = c.flags[o]
		arg, has := c.options[o]
		switch {
		case len(r.name) == 3:
			val = arg
			given = given && has
		case has:
			val = "-" + string(o) + " " + arg
		default:
			val = "-" + string(o)
		}
	}
	switch {
	case given == r.negate:
		return dst
	case r.hasArg && r.arg != "":
		return e.expand(dst, r.arg)
	case given:
		return append(dst, val...)
	}
	return dst
}

// invokeAuto expands a reference to what a macro was called with.
func (e *Evaluator) invokeAuto(dst []byte, r ref, s string, kind autoKind) ([]byte, int) {
	if kind == autoOption {
		return e.invokeOption(dst, r), r.end
	}
	c := e.frame
	var val string
	defined := true
	switch r.name {
	case "*":
		val = strings.Join(c.args, " ")
	case "**":
		val = strings.Join(c.raw, " ")
	case "#":
		if c.taint != "" {
			val = c.taint
		} else {
			val = strconv.Itoa(len(c.args))
		}
	case "0":
		val = c.name
	default:
		n, err := strconv.Atoi(r.name)
		switch {
		case r.name[0] == '0':
			defined = false // to rpm these are names: there is %1 and no %01
		case err == nil && n <= len(c.args):
			val = c.args[n-1]
		case err == nil && c.taint != "":
			val = c.taint // an unknown argument may have been more than one
			if r.test && r.hasArg || r.negate {
				return append(dst, val...), r.end
			}
		default:
			defined = false
		}
	}
	if r.test {
		if defined == r.negate {
			return dst, r.end
		}
		if r.hasArg && r.arg != "" {
			return e.expand(dst, r.arg), r.end
		}
		if !defined {
			return dst, r.end
		}
	}
	if !defined {
		return append(dst, '%'), 0
	}
	if !e.grow(len(val)) {
		return dst, r.end
	}
	return append(dst, val...), r.end
}
