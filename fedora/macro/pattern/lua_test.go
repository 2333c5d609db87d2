package pattern

import "testing"

// TestGsub holds our matcher to what Lua 5.4 gives; "!" is an error.
func TestGsub(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text, pattern, replacement string
		limit                      int
		want                       string
	}{
		{`1.2.3`, `%.`, `_`, -1, `1_2_3`},
		{`1.2.3`, `%.`, `_`, 1, `1_2.3`},
		{`a-b_c`, `[-_]`, `.`, -1, `a.b.c`},
		{`hello world`, `o`, `0`, -1, `hell0 w0rld`},
		{`hello`, `l+`, `L`, -1, `heLo`},
		{`abc`, ``, `x`, -1, `xaxbxcx`},
		{`abc`, `b*`, `-`, -1, `-a-c-`},
		{`abc`, `^a`, `x`, -1, `xbc`},
		{`aaa`, `^a`, `x`, -1, `xaa`},
		{`abc`, `c$`, `x`, -1, `abx`},
		{`a.b`, `(%w)%.(%w)`, `%2.%1`, -1, `b.a`},
		{`key = val`, `(%w+) = (%w+)`, `%2=%1`, -1, `val=key`},
		{`abc`, `%w`, `%0%0`, -1, `aabbcc`},
		{`f(a(b)c)d`, `%b()`, `X`, -1, `fXd`},
		{`THE (quick) fox`, `%f[%a]%a+`, `W`, -1, `W (W) W`},
		{`1~rc1`, `~`, `-`, -1, `1-rc1`},
		{`20240101`, `^(%d%d%d%d)(%d%d)(%d%d)$`, `%1-%2-%3`, -1, `2024-01-01`},
		{`x`, `x`, `%%`, -1, `%`},
		{`aXb`, `[A-Z]`, `(%0)`, -1, `a(X)b`},
		{`a]b`, `[]]`, `x`, -1, `axb`},
		{`a^b`, `[%^]`, `x`, -1, `axb`},
		{`a-z`, `[a%-]`, `x`, -1, `xxz`},
		{`abc`, `[^b]`, `x`, -1, `xbx`},
		{`v1.2`, `^v`, ``, -1, `1.2`},
		{`1.2.3-rc1`, `%-.*`, ``, -1, `1.2.3`},
		{`1.2.3`, `^(%d+)%.(%d+).*`, `%1.%2`, -1, `1.2`},
		{`aaa`, `a-`, `x`, -1, `xaxaxax`},
		{`abab`, `(a)(b)%1`, `x`, -1, `xb`},
		{`x y`, `%s`, `_`, -1, `x_y`},
		{`%x`, `%%`, `p`, -1, `px`},
		{`abc`, `.`, `%0,`, -1, `a,b,c,`},
		{`abc`, `()`, `%1`, -1, `1a2b3c4`},
		{`äö`, `%a`, `x`, -1, `äö`},
		{`a,b,,c`, `,`, `; `, -1, `a; b; ; c`},
		{`foo.tar.gz`, `%.tar%.gz$`, ``, -1, `foo`},
		{`1_2_3`, `_`, `.`, -1, `1.2.3`},
		{`abc`, `(b)`, `[%1]`, -1, `a[b]c`},
		{`aabb`, `a?b`, `x`, -1, `axx`},
		{`x1y22`, `%d+`, `#`, -1, `x#y#`},
		{`t(e)`, `[()]`, ``, -1, `te`},
		{`abc`, `(`, `x`, -1, `!`},
		{`abc`, `[a`, `x`, -1, `!`},
		{`abc`, `%`, `x`, -1, `!`},
		{`abc`, `b`, `%2`, -1, `!`},
		{`abc`, `b`, `%`, -1, `!`},
		{`abc`, `%f`, `x`, -1, `!`},
		{`abc`, `)`, `x`, -1, `!`},
	} {
		got, _, err := Gsub(c.text, c.pattern, c.replacement, c.limit, func(int) bool { return true })
		if err != nil {
			got = "!"
		}
		if got != c.want {
			t.Errorf("gsub(%q, %q, %q, %d) = %q, want %q", c.text, c.pattern, c.replacement, c.limit, got, c.want)
		}
	}
}
