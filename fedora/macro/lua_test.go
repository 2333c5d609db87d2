package macro

import (
	"testing"
)

var luaCases = []struct{ text, want string }{
	{`%{lua:print("x")}`, "x"},
	{`%{lua:print("a", "b")}`, "a\tb"},
	{`%{lua:return 42}`, "42"},
	{`%{lua:print(7 // 2)}`, "3"},
	{`%{lua:print(7 / 2)}`, "?"},
	{`%{lua:print(tonumber("4.0") .. "")}`, "?"},
	{`%{lua:print("7 / 2^1") -- 1.5
	}`, "7 / 2^1"},
	{`%{lua:print(math.tointeger("4"))}`, "4"},
	{`%{lua:print(math.floor(37 // 10))}`, "3"},
	{`%{lua:print(tonumber("12") + 1)}`, "13"},
	{`%{lua:print(string.format("%04d%02d", 3, 7))}`, "000307"},
	{`%{lua:print((string.gsub("1-2-3", "-", ".")))}`, "1.2.3"},
	{`%{lua:_,_,v=string.find("foo-bar","([^-]+)"); print(v)}`, "foo"},
	{`%{lua:v = string.gsub("1.2", "%.", "_"); print(v)}`, "1_2"},
	{`%{lua:v, _ = string.gsub("12.3.4", "(%d+)%.%d+%.%d+", "%1"); print(v)}`, "12"},
	{`%{lua:for w in string.gmatch("a b c", "[^%s]+") do print(w..";") end}`, "a;b;c;"},
	{`%{lua:if string.match("glibc-2.1", "^glibc%-[0-9.]+$") then print("y") end}`, "y"},
	{`%{lua:print(("abc"):upper():lower():len())}`, "3"},
	{`%{lua:local t = {}; table.insert(t, "b"); table.insert(t, "a"); table.sort(t); print(table.concat(t, ","))}`, "a,b"},
	{`%{lua:for k, v in pairs({b=1, a=2, [3]="x"}) do print(k, v, ";") end}`, "3\tx\t;a\t2\t;b\t1\t;"},
	{`%{lua:for i, v in ipairs({"x", "y"}) do print(i..v) end}`, "1x2y"},
	{`%{lua:print(#"abc", select("#", 1, 2))}`, "3\t2"},
	{`%{lua:local n = 0; for i = 1, 10 do if i % 2 == 0 then goto next end; n = n + i; ::next:: end; print(n)}`, "25"},
	{`%{lua:print(utf8.len("äö"))}`, "2"},
	{`%{lua:print(rpm.expand("%{?nope}x"))}`, "x"},
	{`%{lua:rpm.define("abc 5")}%abc`, "5"},
	{`%{lua:rpm.define("abc 5"); rpm.undefine("abc")}%{!?abc:gone}`, "gone"},
	{`%{lua:rpm.define("sq() [%1]")}%sq 4`, "[4]"},
	{`%{lua:print(rpm.isdefined("nope"))}`, "false\tfalse"},
	{`%{lua:print((rpm.isdefined("_libdir")))}`, "true"},
	{`%{lua:print(rpm.vercmp("1.0", "1.0~rc1"))}`, "1"},
	{`%{lua:print(rpm.vercmp("1.2", "1.10"))}`, "-1"},
	{`%{lua:print(macros.nope == nil)}`, "true"},
	{`%{lua:macros.abc = "7"}%abc`, "7"},
	{`%{lua:macros.abc = "7"; print(macros.abc); macros.abc = nil}%{?abc}`, "7"},
	{`%{lua:macros["t(x:)"] = nil}ok`, "ok"},
	{`%define add() [%1+%2]
%{lua:print(macros.add({"a b", "c"}))}`, "[a b+c]"},
	{`%{lua:macros.bcond{"shared", "1"}; print(macros.with{"shared"})}`, "1"},
	{`%{lua:print(macros.upper("ab c"))}`, "AB C"},
	{`%define opts(ab:) %{lua:print(opt.b, #arg, arg[1]); if opt.a then print("A") end}
%{opts -a -b 5 x}`, "5\t1\txA"},
	{`%{lua:x = 1}%{lua:print(x + 1)}`, "2"},
	{`%{lua:print(rpm.b64encode("hi"), rpm.b64decode("aGk="))}`, "aGk=\thi"},
	{`%{lua:
function f(n) if n == 0 then return 1 end return n * f(n - 1) end
print(f(10))
}`, "3628800"},
	{`%{lua:print(1e15)}`, "?"},
	{`%{lua:print(string.format("%s", {}))}`, "?"},
	{`%{lua:print(nil, true)}`, "nil\ttrue"},

	{`%{lua:print(os.time())}`, "?"},
	{`%{lua:print(os.getenv("HOME"))}`, "?"},
	{`%{lua:for l in io.lines("/etc/passwd") do print(l) end}`, "?"},
	{`%{lua:posix.exec("/bin/sh")}`, "?"},
	{`%{lua:local ok = pcall(os.execute, "true"); print("quiet")}`, "?"},
	{`%{lua:rpm.execute("ls")}`, "?"},
	{`%{lua:print(math.random())}`, "?"},
	{`%{lua:require("posix")}`, "?"},
	{`%{lua:load("return 1")}`, "?"},
	{`%{lua:print({})}`, "?"},
	{`%{lua:print(rpm.expand("%(uname -m)"))}`, "?"},
	{`%{lua:x = rpm.expand("%(uname -m)"); rpm.define("abc 5")}[%{?abc}]`, "?"},
	{`%{lua:coroutine.wrap(function() end)}`, "?"},
}

func TestLua(t *testing.T) {
	t.Parallel()
	for _, c := range luaCases {
		e := New(Config{})
		v := e.Expand(e.pos, c.text)
		got := v.Text
		if !v.Known {
			got = "?"
		}
		if i := len(got); i > 0 && got[0] == '\n' {
			got = got[1:]
		}
		if got != c.want {
			t.Errorf("%s: got %q (%s), want %q", c.text, got, v.Reason, c.want)
		}
	}
}

// TestLuaBounds runs code that would take all time and memory there is.
func TestLuaBounds(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`%{lua:while true do end}`,
		`%{lua:local s = "x"; while true do s = s .. s end}`,
		`%{lua:local t = {}; while true do t[#t+1] = t end}`,
		`%{lua:print(string.rep("x", 1 << 40))}`,
		`%{lua:local function f() return f() + 1 end; f()}`,
		`%{lua:while true do print("x") end}`,
		`%{lua:string.find(string.rep("a", 30000), string.rep("a?", 30000)..string.rep("a", 30000))}`,
		`%define r() %{lua:print(rpm.expand("%r"))}
%r`,
		`%{lua:rpm.define("a %a%a"); print(rpm.expand("%a"))}`,
		`%{lua:setmetatable(_G, {__index = function(t, k) return t[k] end}); print(x)}`,
	} {
		e := New(Config{})
		if v := e.Expand(e.pos, text); v.Known {
			t.Errorf("%s: %q", text, v.Text)
		}
	}
}

func FuzzLua(f *testing.F) {
	for _, c := range luaCases {
		f.Add(c.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e := New(Config{Budget: Budget{Steps: 20000}})
		e.Expand(e.pos, text)
	})
}

func BenchmarkLuaRelease(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		e := New(Config{})
		e.Expand(e.pos, `%{lua:
    release_number = 2;
    base_release_number = tonumber(rpm.expand("%{?-b*}%{!?-b:1}"));
    print(release_number + base_release_number - 1);
}`)
	}
}
