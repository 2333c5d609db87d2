//go:build unix

package hostile

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"specgraft/cmd/specgraft/cli"
)

// The cases here are of specs and of what is in them: the macro language, the
// shell subset, Lua, expressions, the structure of a spec. Sizes are those of a
// spec that nobody would review, some hundred kilobytes: what is not bounded
// before it is done takes minutes or all memory.

// hostileSpecs makes a case of each text, which is added to a preamble.
func hostileSpecs(preambles map[string]string) []hostile {
	var cases []hostile
	for _, name := range slices.Sorted(maps.Keys(preambles)) {
		cases = append(cases, hostileQuery(name, hostileSpec("x", preambles[name])))
	}
	return cases
}

// deep is a text nested n times.
func deep(open, middle, end string, n int) string {
	return strings.Repeat(open, n) + middle + strings.Repeat(end, n)
}

const many = 60_000

func TestHostileMacros(t *testing.T) {
	laughs := func(first, format string) string {
		text := "%define l0 " + first + "\n"
		for i := range 29 {
			text += "%define l" + string(rune('1'+i%9)) + strings.Repeat("x", i/9) + " " +
				strings.Repeat(strings.ReplaceAll(format, "@", "l"+string(rune('0'+i%9))+strings.Repeat("x", i/9)), 10) + "\n"
		}
		return text + "URL: %l1xxx\n"
	}
	runHostile(t, hostileSpecs(map[string]string{
		"define-itself":       "%define a %a\nURL: %a",
		"define-each-other":   "%define a %b\n%define b %a\nURL: %a",
		"arguments-grow":      "%define a() %{a %* %* %*}\nURL: %{a 1 2 3}",
		"laughs":              laughs("lol", "%@"),
		"laughs-nothing":      laughs("%{nil}", "%@"),
		"laughs-tests":        laughs("%{?x}", "%{?@:%@}"),
		"rep":                 "%{rep:aaaaaaaaaa 9999999999999}",
		"rep-negative":        "%{rep a -9223372036854775808}%{sub abc -9223372036854775808 9223372036854775807}",
		"rep-twice":           "%global a %{rep a 1000000}\n%global b %{rep %a 1000000}\nURL: %b",
		"gsub-growth":         "%global a %{rep a 500000}\nURL: %{len:%{gsub %a .* " + strings.Repeat("%%0", 20_000) + "}}",
		"gsub-each":           "%global a %{rep a 500000}\nURL: %{len:%{gsub %a a " + strings.Repeat("b", 5000) + "}}",
		"gsub-balance":        "%global a %{rep ( 1000000}\nURL: %{gsub %a %%b() x}",
		"gsub-back-reference": "%global a %{rep a 500000}\nURL: %{gsub %a (.+)%%1x y}",
		"gsub-classes":        "%global a %{rep a 500000}\nURL: %{gsub %a [^a]*[^a]*[^a]*b y}",
		"gsub-large-class":    "%global a %{rep a 100000}\nURL: %{gsub %a [" + strings.Repeat("b", 50_000) + "]x y}",
		"gsub-frontier":       "%global a %{rep a 500000}\nURL: %{gsub %a %%f[" + strings.Repeat("b", 50_000) + "] y}",
		"skip-large":          "%define b %{!?a:%{?u:" + strings.Repeat("A", 300_000) + "}}\n" + strings.Repeat("URL: "+strings.Repeat("%b", 20_000)+"\n", 5),
		"dnl-large":           "%define b %dnl " + strings.Repeat("A", 300_000) + "\n" + strings.Repeat("URL: "+strings.Repeat("%b", 20_000)+"\n", 5),
		"undefine-large":      "%define b %undefine x " + strings.Repeat("A", 300_000) + "\n" + strings.Repeat("URL: "+strings.Repeat("%b", 20_000)+"\n", 5),
		"names-with-blanks":   "%define b x\n" + strings.Repeat("URL: "+strings.Repeat("%b ", many)+"\n", 10),
		"braces-undefined":    "URL: " + deep("%{", "", "}", many),
		"braces-tested":       "URL: " + deep("%{?a:", "", "}", many),
		"braces-defined":      "%define a 1\nURL: " + deep("%{?a:", "", "}", many),
		"braces-open":         "URL: " + strings.Repeat("%{", many),
		"braces-expand":       "URL: " + deep("%{expand:", "", "}", many),
		"braces-lines":        strings.Repeat("URL: %{\n", many),
		"parentheses-lines":   strings.Repeat("URL: %(\n", many),
		"brackets-lines":      strings.Repeat("URL: %[\n", many),
		"percents":            "URL: " + strings.Repeat("%", many),
		"stars":               "URL: " + strings.Repeat("%*%**%#%0%1%-a%-a*", many/4),
		"flags":               "URL: %" + strings.Repeat("!?", many) + "a",
		"define-long-name":    "%define " + strings.Repeat("a", many) + " b\nURL: %" + strings.Repeat("a", many),
		"define-long-options": "%define a(" + strings.Repeat("a:", many) + ") b\nURL: %{a -a 1}",
		"define-open":         strings.Repeat("%define a {\n", many),
		"define-definer":      "%define a %{expand:%%define a %a%a}\n" + strings.Repeat("%a\n", 1000),
		"global-many":         strings.Repeat("%global a %{?a}%{?a}x\n", 100),
		"quotes":              "%define a() %*\nURL: %{a %{quote:" + strings.Repeat("%{quote:", 1000) + "}}",
		"shrink":              "URL: %{shrink:" + strings.Repeat("a ", many) + "}",
		"load-itself":         "%{load:x.spec}\n%{load:%{_sourcedir}/x.spec}",
		"include-itself":      "%include x.spec\n%include %{_sourcedir}/x.spec",
		"include-outside":     "%include ../../../../../etc/passwd\n%include /etc/passwd\n%{load:/etc/passwd}",
		"exists-outside":      "%if %{exists:/etc/passwd}\nURL: PWNED\n%endif",
		"escapes":             "Vendor: \x1b[31mx\x1b]0;title\x07\n%nosuch\x1b[31m\n%{error:\x1b[2J}\n%{warn:\u009b31m}\n%define \x1b x",
		"right-to-left":       "Vendor: \u202egnp.exe\n%{error:\u202e}\n%{warn:\u2066}\n%bogus\u200f",
		"environment":         "URL: %{getenv:HOME}%{getncpus}%{getconfdir}\n%trace\n%dump\n%{verbose:x}",
		"messages":            strings.Repeat("%{warn:"+strings.Repeat("x", 100)+"}%{error:y}\n", 5000),
		"url2path":            "URL: %{u2p:" + strings.Repeat("://", many) + "}",
		"basename":            "URL: %{basename:" + strings.Repeat("/", many) + "}%{dirname:" + strings.Repeat("a/", many) + "}",
		"uncompress":          "URL: %{uncompress:" + strings.Repeat("../", many) + "}%{P:99999999999999999999}%{S:-1}",
	}))
}

func TestHostileShell(t *testing.T) {
	commands := map[string]string{
		"touch":             "touch @/pwned",
		"redirect":          "echo x > @/pwned; echo y >> @/pwned; echo z | tee @/pwned",
		"here-to-file":      "cat > @/pwned <<E\nx\nE\n",
		"eval":              "eval 'touch @/pwned'; exec touch @/pwned",
		"eval-hidden":       "a=touch; eval \"$a @/pwned\"",
		"eval-itself":       "x='eval \"$x\"'; eval \"$x\"",
		"eval-deep":         strings.Repeat("eval ", 4000) + "echo",
		"path-of-a-tool":    "/usr/bin/../bin/touch @/pwned; /bin/sh -c 'touch @/pwned'",
		"xargs":             "echo 'touch @/pwned' | xargs sh -c",
		"sed-execute":       "echo 'touch @/pwned' | sed 's/t/t/e;w @/pwned'",
		"sed-in-place":      "sed -i s/a/b/ @/s/x.spec",
		"awk-writes":        "echo a | awk '{print > \"@/pwned\"}'",
		"awk-runs":          "echo a | awk '{system(\"touch @/pwned\")}'",
		"function":          "echo() { touch @/pwned; }; echo",
		"trap":              "trap 'touch @/pwned' EXIT",
		"read-outside":      "cat /etc/passwd < /etc/passwd; head -1 /etc/passwd; grep . /etc/passwd; sed p /etc/passwd",
		"network":           "cat < /dev/tcp/127.0.0.1/1",
		"environment":       "echo $HOME ~ ~root $RANDOM $$ ${!HOME} ${!x*}",
		"substitutions":     deep("$(", "echo", ")", many),
		"backticks":         "echo " + strings.Repeat("`", many),
		"subshells":         deep("(", "echo", ")", many),
		"groups":            deep("{ ", "echo;", " }", many),
		"ifs":               strings.Repeat("if ", many) + "echo",
		"whiles":            strings.Repeat("while ", many) + "echo",
		"cases":             strings.Repeat("case a in a) ", many) + "echo",
		"functions":         strings.Repeat("f() ", many) + "echo",
		"times":             strings.Repeat("time ", many) + "echo",
		"nots":              strings.Repeat("! ", many) + "echo",
		"pipes":             strings.Repeat("echo a | ", many) + "cat",
		"ands":              strings.Repeat("true && ", many) + "true",
		"statements":        strings.Repeat(":;", many),
		"arithmetic":        "echo $((" + deep("(", "1", ")", many) + "))",
		"arithmetic-minus":  "echo $((" + strings.Repeat("- ", many) + "1))",
		"arithmetic-sum":    "echo $((" + strings.Repeat("1+", many) + "1))",
		"arithmetic-power":  "echo $((" + strings.Repeat("2**", many) + "1)) $((2**99999999999)) $((1<<99999))",
		"arithmetic-choice": "echo $((" + strings.Repeat("1?1:", many) + "1))",
		"arithmetic-assign": "echo $((" + strings.Repeat("a=", many) + "1))",
		"arithmetic-itself": "x=x; y='y+y+y'; echo $((x)) $((y)) $((1/0)) $((-9223372036854775808/-1))",
		"defaults":          "echo " + deep("${a:-", "", "}", many),
		"defaults-some":     "a=; echo " + deep("${a:-", "x", "}", 900),
		"quotes":            "echo " + deep(`"$(echo `, "", `)"`, many),
		"test-parentheses":  "[[ " + deep("( ", "a", " )", many) + " ]]",
		"test-nots":         "[[ " + strings.Repeat("! ", many) + "a ]]",
		"here-documents":    "cat <<A\n" + deep("$(", "", ")", many) + "\nA\n",
		"replace":           "x=" + strings.Repeat("a", 200_000) + "; echo ${x//a/$x}",
		"replace-nested":    "x=" + strings.Repeat("a", 20_000) + "; echo ${x//a/${x//a/${x//a/$x}}}",
		"replace-computed":  "x=" + strings.Repeat("a", 20_000) + "; echo ${x//a/$(echo $x)}",
		"replace-assigned":  "y=" + strings.Repeat("a", 20_000) + "; echo ${x:=$y$y$y$y}${x//a/$x}",
		"replace-pattern":   "x=" + strings.Repeat("a", 100_000) + "; echo ${x/" + strings.Repeat("*a", 10_000) + "b/}",
		"strip":             "x=" + strings.Repeat("a", 200_000) + "; echo ${x%%*a*a*a*b} ${x##*a*a*a*b} ${x%" + strings.Repeat("?", 50_000) + "}",
		"upper":             "x=" + strings.Repeat("a", 200_000) + "; echo ${x^^[" + strings.Repeat("b", 50_000) + "]}",
		"case-pattern":      "case " + strings.Repeat("a", 200_000) + " in " + strings.Repeat("*a", 1000) + "b) echo;; esac",
		"double":            "x=aaaaaaaa; " + strings.Repeat("x=$x$x; ", 60) + "echo $x",
		"double-word":       "x=" + strings.Repeat("a", 500_000) + "; echo " + strings.Repeat("$x", 2000),
		"double-computed":   "x=" + strings.Repeat("a", 500_000) + "; echo " + strings.Repeat("$(echo $x)", 500),
		"append":            "x=" + strings.Repeat("a", 500_000) + "; for i in 1 2 3 4 5 6 7 8 9; do x+=$x$x$x; done",
		"sed-growth":        "echo " + strings.Repeat("a", 200_000) + " | sed s/a/" + strings.Repeat("b", 20_000) + "/g",
		"sed-whole":         "echo " + strings.Repeat("a", 100_000) + " | sed 's/.*/" + strings.Repeat("&", 100_000) + "/'",
		"sed-print":         "echo " + strings.Repeat("a", 200_000) + " | sed '" + strings.Repeat("p;", many) + "'",
		"sed-lines":         "seq 1 9000 | sed '" + strings.Repeat("p;d;", 20_000) + "'",
		"sed-empty":         "echo " + strings.Repeat("a", 500_000) + " | sed 's/^b*$*x*//g'",
		"sed-look-ahead":    "echo " + strings.Repeat("a", 200_000) + " | sed -E 's/a*b|a/x/g'",
		"grep-repeat":       "echo " + strings.Repeat("a", 200_000) + " | grep -E '" + strings.Repeat("(a?){1000}", 60) + "b'",
		"grep-nested":       "echo a | grep -E '((((((a{1,100}){1,100}){1,100}){1,100}){1,100}){1,100})'",
		"grep-parentheses":  "echo a | grep -E '" + deep("(", "a", ")", 2000) + "'",
		"grep-only":         "echo " + strings.Repeat("a", 200_000) + " | grep -oE 'a*b|a'",
		"grep-classes":      "echo a | grep '" + strings.Repeat("[[:alpha:]]", 2000) + "'",
		"awk-printf":        "echo a | awk '{printf \"%999999999s\", $1}'; printf '%999999999d' 1",
		"awk-fields":        "echo " + strings.Repeat("a ", 50_000) + " | awk '{print " + strings.Repeat("$0,", 10_000) + "$0}'",
		"awk-rules":         "seq 1 9000 | awk '" + strings.Repeat("/x/{print $1}", 10_000) + "'",
		"awk-separator":     "echo " + strings.Repeat("a", 100_000) + " | awk -F 'b|a*c|a' '{print NF}'",
		"cut-ranges":        "echo " + strings.Repeat("a:", 50_000) + " | cut -d: -f" + strings.Repeat("1,", 50_000) + "1",
		"seq":               "seq -9223372036854775808 1 9223372036854775807; seq 1 9223372036854775807 5; seq 9223372036854775800 5 9223372036854775807",
		"loops":             "x=$(seq 1 9000); for i in $x; do for j in $x; do for k in $x; do echo; done; done; done",
		"loop-ever":         "while :; do :; done",
		"loop-until":        "until false; do :; done",
		"braces":            "echo {1..999999999} {a,b}{a,b}{a,b}{a,b}{a,b}{a,b}",
		"braces-hidden":     "x='{1..99999999}'; echo $x; for i in {1..99999999}; do :; done",
		"arrays":            "y=({1..99999999}); y[99999999999]=1; echo ${y[@]} ${#y[@]}",
		"substrings":        "x=abc; echo ${x:99999999999999999999:1} ${x: -99999999999} ${x:0:-99999}",
		"tr":                "echo a | tr '\\000-\\377' 'a' ; echo a | tr '[a*99999999999]' b",
		"head":              "echo a | head -c 99999999999999999999; head -n -99999999999; tail -n 99999999999 <<< a",
		"sort":              "seq 1 9000 | sort -rn | sort -V | uniq | tac | rev | wc -l",
		"globs":             "echo /*/*/*/* **/** ~/*",
		"date":              "date -d @99999999999999999 -u +%%Y; date -d @-99999999999999999 -u +%%F; date -r @/s/x.spec +%%s",
		"variables":         strings.Repeat("a=1; (b=1); ", 4000),
		"many-variables":    "for i in $(seq 1 900); do eval a$i=x; (:); done",
	}
	preambles := map[string]string{}
	for name, cmd := range commands {
		preambles[name] = "%global a %(" + cmd + ")\nURL: %{len:%a}"
	}
	preambles["many-commands"] = strings.Repeat("%global a %(for i in $(seq 1 900); do seq 1 9000 | sort -rn | tail -1; done)\n", 100)
	preambles["commands-in-a-line"] = "URL: " + strings.Repeat("%(seq 1 9000 | tac | tail -1)", 10_000)
	runHostile(t, hostileSpecs(preambles))
}

func TestHostileLua(t *testing.T) {
	code := map[string]string{
		"open":             "local f=io.open('@/pwned','w'); f:write('x'); f:close()",
		"execute":          "pcall(os.execute,'touch @/pwned'); io.popen('touch @/pwned'); posix.exec('/bin/touch','@/pwned')",
		"everything":       "for k,v in pairs(_G) do if type(v)=='table' then for a,b in pairs(v) do pcall(b,'touch @/pwned') end end end",
		"metatable":        "local m=getmetatable('').__index; m.rep=nil; setmetatable(io,nil); print(io.open); debug.getregistry()",
		"bytecode":         "load(string.dump(function() os.execute('touch @/pwned') end))()",
		"parentheses":      "return " + deep("(", "1", ")", many),
		"functions":        deep("local a=function() ", "", " end", many),
		"ifs":              deep("if a then ", "", " end", many),
		"else-ifs":         "if a then " + strings.Repeat("elseif a then ", many) + " end",
		"dos":              deep("do ", "", " end", many),
		"repeats":          deep("repeat ", "", " until a", many),
		"unary":            "return " + strings.Repeat("not - # ~ ", many/4) + "1",
		"join":             "return " + strings.Repeat("a..", many/2) + "a",
		"powers":           "return " + strings.Repeat("2^", many/2) + "1",
		"sums":             "return " + strings.Repeat("1+", many/2) + "1",
		"comparisons":      "return " + strings.Repeat("1<", many/2) + "1",
		"calls":            "return " + deep("f(", "", ")", many),
		"call-chain":       "return f" + strings.Repeat("()", many/3),
		"index-chain":      "return a" + strings.Repeat(".a", many/3),
		"indexes":          "return a" + deep("[a", "", "]", many),
		"tables":           "return " + deep("{", "", "}", many),
		"methods":          "return a" + strings.Repeat(":a()", many/5),
		"strings-called":   "return f" + strings.Repeat(" 'a'", many/3),
		"brackets":         strings.Repeat("[[", many),
		"comment":          "--" + strings.Repeat(`'"`, many),
		"number":           "return 0x" + strings.Repeat("f", many),
		"locals":           strings.Repeat("local a=1 ", 12_000),
		"long":             "a='" + strings.Repeat("x", 400_000) + "'",
		"gotos":            "::a:: goto a",
		"loop":             "while true do pcall(function() while true do end end) end",
		"recursion":        "local function f() return 1+f() end; f()",
		"recursion-caught": "local function f() pcall(f) return pcall(f) end; f()",
		"index-loop":       "local a,b={},{}; setmetatable(a,{__index=b}); setmetatable(b,{__index=a}); print(a.x)",
		"tostring-loop":    "local t; t=setmetatable({},{__tostring=function() return tostring(t) end}); print(t)",
		"concat-loop":      "local t=setmetatable({},{__concat=function(a,b) return a..b end}); print(t..'x')",
		"gsub-recursion":   "local function f(s) return (s:gsub('.',f)) end; f('aaaa')",
		"rep":              "print(#string.rep('x',1000000000)); print(#('x'):rep(1e9,'y')); print(#('').rep('',1e9))",
		"format":           "print(#string.format('%%999999999d',1)); print(#string.format('%%.99f',1)); print(string.format('%%s%%s%%s'))",
		"unpack":           "print(select('#',table.unpack({},1,100000000)))",
		"compare":          "local a,b=string.rep('a',5000000),string.rep('a',5000000); local n=0; for i=1,90000 do if a<b then n=n+1 end end",
		"equal":            "local a,b=string.rep('a',5000000),string.rep('a',4999999)..'a'; local n=0; for i=1,90000 do if a==b then n=n+1 end end",
		"joined-compare":   "local a,b='a','a'; for i=1,22 do a=a..a; b=b..b end; b=b..'' for i=1,90000 do if a==b then end end",
		"long-keys":        "local t,s={},string.rep('a',4000000); for i=1,90000 do t[s]=i end",
		"long-numbers":     "local s=string.rep('1',4000000); for i=1,90000 do pcall(function() return s+1 end) end",
		"number-of":        "local s=string.rep('1',4000000); for i=1,50000 do tonumber(s) end",
		"expanded":         "rpm.define('r %{rep a 1000000}'); local s=rpm.expand('%r'); for i=1,90000 do if s==s..'' then end end",
		"upper":            "local s=string.rep('a',4000000); for i=1,10000 do s:upper() end",
		"insert":           "local t={} for i=1,100000 do table.insert(t,1,i) end",
		"sort":             "local t={} for i=1,1000 do t[i]=string.rep('a',4000)..i end for i=1,1000 do table.sort(t) end",
		"concat":           "local t={} for i=1,1000 do t[i]=string.rep('a',4000) end for i=1,1000 do table.concat(t) end",
		"move":             "table.move({},1,1e9,1); table.move({1},1,1,1e15)",
		"next":             "local t={} for i=1,5000 do t['k'..i]=i end; local k; repeat k=next(t,k) until not k",
		"utf8":             "local s=string.rep('a',4000000); for i=1,20000 do utf8.len(s) end",
		"pattern":          "print(string.find(string.rep('a',500000),'.-.-.-.-.-b'))",
		"balance":          "print(string.find(string.rep('(',1000000),'%%b()'))",
		"define":           "for i=1,100000 do rpm.define('m'..i..' '..string.rep('x',100)) end",
		"expand-itself":    "rpm.define('e %{lua:print(rpm.expand(\"%e%e\"))}'); print(rpm.expand('%e'))",
		"load-itself":      "rpm.load('x.spec'); rpm.load('/etc/passwd')",
		"coroutines":       "local f; f=function() coroutine.wrap(f)() end; f()",
		"many-returns":     "return " + strings.Repeat("1,", 20_000) + "1",
		"close":            "local a <close> = setmetatable({},{__close=function() while true do end end})",
		"collect":          "setmetatable({},{__gc=function() while true do end end}); collectgarbage()",
		"unfinished":       "local a = [==[ " + strings.Repeat("]=]", many),
	}
	preambles := map[string]string{}
	for name, text := range code {
		preambles[name] = "%{lua: " + text + "}"
	}
	preambles["many-chunks"] = strings.Repeat("%{lua: local s=string.rep('a',6000000)}\n", 3000)
	preambles["many-small-chunks"] = strings.Repeat("%{lua: x=1}\n", 20_000)
	runHostile(t, hostileSpecs(preambles))
}

func TestHostileStructure(t *testing.T) {
	cases := hostileSpecs(map[string]string{
		"expression-nots":        "%global a %[" + strings.Repeat("!", many) + "1]",
		"expression-minus":       "%global a %[" + strings.Repeat("-", many) + "1]",
		"expression-sums":        "%global a %[" + strings.Repeat("1+", many) + "1]",
		"expression-choices":     "%global a %[" + strings.Repeat("1?1:", many) + "1]",
		"expression-parentheses": "%if " + deep("(", "1", ")", many) + "\n%endif",
		"expression-numbers":     "URL: %[99999999999999999999] %[1/0] %[-9223372036854775808/-1] %[2147483647*2147483647]",
		"expression-versions":    "URL: %[v\"" + strings.Repeat("1.", 100_000) + "1\" < v\"" + strings.Repeat("1.", 100_000) + "2\"] %[v\"\" == v\"::\"]",
		"expression-strings":     "URL: %[\"" + strings.Repeat("a", many) + "\" + \"" + strings.Repeat("%%{", many) + "\"]",
		"expression-macros":      "%define a %[%a]\nURL: %a",
		"ifs":                    strings.Repeat("%if 1\n", many) + strings.Repeat("%endif\n", many),
		"ifs-open":               strings.Repeat("%if 1\n", many),
		"ifs-unknown":            "%global u %(hostname)\n" + strings.Repeat("%if %u\n%global a b\n", 900) + strings.Repeat("%endif\n", 900),
		"elses":                  "%if 1\n" + strings.Repeat("%elif 1\n", many) + "%endif",
		"endifs":                 strings.Repeat("%endif\n%else\n", many),
		"rich-and":               "Requires: " + deep("(a and ", "a", ")", many),
		"rich-if":                "Requires: " + deep("(a if ", "a", ")", many),
		"rich-flat":              "Requires: (" + strings.Repeat("a and ", many) + "a)",
		"rich-open":              "Requires: " + strings.Repeat("(", many),
		"dependencies":           "Requires: " + strings.Repeat("a >= 1, ", many),
		"qualifiers":             "Requires(" + strings.Repeat("post,", many) + "): a",
		"sources-many":           strings.Repeat("Source: a\nPatch: b\n", 40_000),
		"sources-numbers":        "Source99999999999999999999: a\nSource2147483648: b\nPatch-1: c\nSource00000000000000000001: e",
		"sourcelist":             "%sourcelist\n" + strings.Repeat("a\n", many),
		"source-names":           "Source0: ../../../../pwned\nSource1: /etc/passwd\nSource2: http://x/..\nSource3: http://x/%2e%2e#/../y\nPatch0: -rf\nPatch1: .git/config",
		"packages":               strings.Repeat("%package p\nSummary: s\n%description p\nd\n", 10_000),
		"packages-of-each-other": "%package -n %{name}\nSummary: s\n%package -n -n\n%package\n%package -n a -n b\n%files -f\n%files -n -f -x\n",
		"triggers":               "%triggerin -- \n%post -p <lua>\nos.execute('touch @/pwned')\n%pre -p\n%verifyscript -e -q\n%triggerin -- a <" + strings.Repeat(" a", many),
		"changelogs":             "%changelog\n" + strings.Repeat("* Thu Jan 01 2026 A <a@b> - 1-1\n- x\n\n", many/2),
		"changelog-dates":        "%changelog\n* Xxx Foo 99 99999999 A - 1\n* Thu Jan 01 -1 A - 1\n*\n* \n",
		"setup":                  "Source0: a.tar.gz\n%prep\n%setup -q -a 0 -b 0 -n " + strings.Repeat("x", many) + "\n" + strings.Repeat("%setup -q -T -D -a 99999999999 -c\n", 2000),
		"patches":                "Patch0: a\n%prep\n%patch " + strings.Repeat("0 ", many) + "\n%patch -P 99999999999999999999\n%patch99999999999999999999\n",
		"autopatch":              strings.Repeat("Patch: a\n", 5000) + "%prep\n" + strings.Repeat("%autopatch -p1\n", 2000),
		"forge":                  "%global forgeurl https://github.com/a/b\n%global commit " + strings.Repeat("a", many) + "\n" + strings.Repeat("%forgemeta\n", 2000),
		"go":                     "%global goipath " + strings.Repeat("example.com/a", 5000) + "\n" + strings.Repeat("%gometa\n", 1000),
		"fonts":                  "%define fontfamily x\n" + strings.Repeat("%fontpkg -a\n", 2000),
		"bconds":                 "%bcond a " + strings.Repeat("%{with a}", 1000) + "\n%bcond_with a%{with b}\n" + strings.Repeat("%bcond c 0\n", many/2),
		"build-archs":            "BuildArch: noarch\nBuildArch: i686\nBuildArchitectures: " + strings.Repeat("x ", many) + "\nExclusiveArch: %{ix86} " + strings.Repeat("x ", many),
		"tags":                   "Name: y\nName:\nVersion: %{version}\nEpoch: 99999999999999999999\nEpoch: -1\n:\n: :\n%%:\nURL:\nRelease: " + strings.Repeat("9", many),
		"build-system":           "BuildSystem: " + strings.Repeat("x", many) + "\n" + strings.Repeat("BuildOption(x): y\n", 20_000),
		"merge-conflict":         strings.Repeat("<<<<<<< a\n=======\n>>>>>>> b\n", many/3),
		"continued":              strings.Repeat("URL: \\\n", many),
		"tabs":                   strings.Repeat("\t", many*5) + "URL: a",
	})
	for name, text := range map[string]string{
		"nothing":     "",
		"newlines":    strings.Repeat("\n", 300_000),
		"nul":         "Name: x\x00y\nVersion: 1\x00\n%global a\x00b c\x00\n%description\n\x00",
		"marks":       "Name: \x001\x00\nVersion: \x00\x00\nRelease: \x1f\x1f\nURL: %{len:\x009\x00}\n",
		"crlf":        "Name: x\r\nVersion: 1\r\nRelease: 1\r\n%if 1\r\nURL: a\r\n%endif\r\n%description\r\nd\r\n",
		"cr":          "Name: x\rVersion: 1\rRelease: 1\r%description\r",
		"utf-16":      "N\x00a\x00m\x00e\x00:\x00 \x00x\x00\n\x00",
		"not-utf-8":   "Name: \xff\xfe\nVersion: \xc3\x28\nSummary: \xf4\x90\x80\x80\n%description -l \xff\n",
		"backslashes": strings.Repeat("\\\n", 100_000),
		"one-line":    "Name: " + strings.Repeat("a", 8<<20),
		"many-lines":  strings.Repeat("%build\n", 100_000),
	} {
		cases = append(cases, hostileQuery("bytes-"+name, text))
	}
	slices.SortFunc(cases, func(a, b hostile) int { return strings.Compare(a.name, b.name) })
	runHostile(t, cases)
}

// TestHostileOverlays are overlays whose edits cost more than they should, on
// specs that were made for them.
func TestHostileOverlays(t *testing.T) {
	var cases []hostile
	add := func(name, overlays, spec string) {
		cases = append(cases, hostile{name: name, args: []string{"render", "-a", "-C", "@/p", "-o", "@/out", "--cache-dir", "@/cache"},
			files: map[string]string{"p/azldev.toml": hostileProject("x") + overlays, "p/src/x.spec": spec},
			after: func(d *hostileDir, _ *hostileRun) {
				if _, err := os.Stat(d.path("pwned")); err == nil {
					d.Error("an overlay wrote outside of the output")
				}
			}})
	}
	op := func(fields string) string { return "[[components.x.overlays]]\n" + fields + "\n" }
	plain := hostileSpec("x", "Requires: a")
	lines := hostileSpec("x", strings.Repeat("Requires: aaaaaaaaaa\n", 20_000))
	add("replace-repeat", op(`type = "spec-search-replace"
regex = '(a?){1000}(a?){1000}(a?){1000}b'
replacement = "x"`), lines)
	add("replace-nested", op(`type = "spec-search-replace"
regex = '(((((a{1,100}){1,100}){1,100}){1,100}){1,100})'
replacement = "x"`), plain)
	add("replace-parentheses", op("type = \"spec-search-replace\"\nregex = '"+deep("(", "a", ")", 20_000)+"'\nreplacement = \"x\""), plain)
	add("replace-growth", strings.Repeat(op(`type = "spec-search-replace"
regex = '(a+)'
replacement = "$1$1$1$1$1$1$1$1$1$1"`), 8), plain)
	add("replace-empty", op(`type = "spec-search-replace"
regex = ''
replacement = "xxxxxxxxxxxxxxxx"`), lines)
	add("replace-lines", op(`type = "spec-search-replace"
regex = 'a'
replacement = "\n%include /etc/passwd\n"`), lines)
	add("many-operations", strings.Repeat(op("type = \"spec-add-tag\"\ntag = \"Requires\"\nvalue = \"b\""), 2000), plain)
	add("insert-large", op("type = \"spec-append-lines\"\nsection = \"%build\"\nlines = [\""+strings.Repeat("x", 500_000)+"\"]"), plain+"%build\n")
	add("append-ifs", op("type = \"spec-append-lines\"\nsection = \"%build\"\nlines = ["+strings.Repeat("\"%if 1\",", 20_000)+"]"), plain+"%build\n")
	add("remove-sections", op("type = \"spec-remove-section\"\nsection = \"%build\""), plain+strings.Repeat("%if 1\n%build\n", 20_000))
	add("file-outside", op("type = \"file-add\"\nfile = \"../../../pwned\"\nsource = \"/etc/passwd\""), plain)
	add("file-of-git", op("type = \"file-add\"\nfile = \".git/config\"\nsource = \"azldev.toml\""), plain)
	add("file-remove-glob", op("type = \"file-remove\"\nfile = \""+strings.Repeat("{a,", 5000)+strings.Repeat("}", 5000)+"\""), plain)
	add("file-remove-stars", op("type = \"file-remove\"\nfile = \""+strings.Repeat("**/", 3000)+"x\""), plain)
	add("file-replace-glob", op("type = \"file-search-replace\"\nfile = \""+strings.Repeat("*a", 3000)+"\"\nregex = \"a\"\nreplacement = \"b\""), plain)
	add("tag-escapes", op("type = \"spec-set-tag\"\ntag = \"Vendor\\u001b[31m\"\nvalue = \"\\u001b]0;x\\u0007\""), plain)
	add("unbalanced", op("type = \"spec-remove-tag\"\ntag = \"Requires\""), strings.Repeat("%if 1\n", 20_000)+plain)
	add("open-blocks", op("type = \"spec-add-tag\"\ntag = \"Requires\"\nvalue = \"b\""), plain+strings.Repeat("%{lua:\n", 20_000))
	add("open-definitions", op("type = \"spec-add-tag\"\ntag = \"Requires\"\nvalue = \"b\""), plain+strings.Repeat("%define a %{expand: \\\n", 20_000))
	add("shell-in-a-source", "", hostileSpec("x", "Source0: %("+deep("(", "echo", ")", 200_000)+")"))
	add("release-calculated", "", strings.ReplaceAll(plain, "Release: 1", "Release: %autorelease -e %{rep a 1000000000}"))
	add("autochangelog", "", plain+strings.Repeat("%autochangelog\n", 20_000))
	runHostile(t, cases)
}

// TestHostileSpecAlone holds that one hostile spec costs its own component only.
func TestHostileSpecAlone(t *testing.T) {
	runHostile(t, []hostile{{
		name: "two-components",
		files: map[string]string{
			"p/azldev.toml":   hostileProject("evil", "good"),
			"p/src/evil.spec": hostileSpec("evil", "Source0: %("+deep("(", "echo", ")", 400_000)+")\n%{lua: while true do end}\nURL: "+deep("%{", "", "}", many)),
			"p/src/good.spec": hostileSpec("good", ""),
		},
		args: []string{"render", "-a", "-C", "@/p", "-o", "@/out", "--cache-dir", "@/cache"},
		after: func(d *hostileDir, _ *hostileRun) {
			if _, err := os.Stat(d.path("out/g/good/good.spec")); err != nil {
				d.Errorf("the other component was not rendered: %v", err)
			}
		},
	}})
}

// TestHostileSpecNamesItself holds that what ends an evaluation is said at its
// line, with what was too much.
func TestHostileSpecNamesItself(t *testing.T) {
	says := func(name, preamble, code, text string) hostile {
		c := hostileQuery(name, hostileSpec("x", preamble))
		c.after = func(d *hostileDir, r *hostileRun) {
			var report struct {
				Problems []struct{ Code, Position, Message string }
			}
			if err := json.Unmarshal([]byte(r.stdout), &report); err != nil {
				d.Fatal(err)
			}
			for _, p := range report.Problems {
				if p.Code == code && strings.HasSuffix(p.Position, "x.spec:7:1") && strings.Contains(p.Message, text) {
					return
				}
			}
			d.Errorf("no %s at line 7 says %q: %+v", code, text, report.Problems)
		}
		return c
	}
	runHostile(t, []hostile{
		says("shell", "Group: g\nURL: %("+deep("(", "echo", ")", many)+")", "macro/budget", "(((("),
		says("lua", "Group: g\n%{lua: return "+deep("(", "1", ")", many)+"}", "macro/budget", "nested"),
		says("braces", "Group: g\nURL: "+deep("%{", "", "}", many), "macro/budget", "%{%{"),
		says("recursion", "%define a %a\nURL: %a", "macro/recursion", "macro recursion"),
		says("expression", "Group: g\n%if "+deep("(", "1", ")", many)+"\n%endif", "macro/expression", "deep"),
	})
}

// TestHostilePipe holds that what waits beside a spec is not waited for.
func TestHostilePipe(t *testing.T) {
	spec := hostileSpec("x", "%include x.inc\n%include zero.inc\n%{load:%{_sourcedir}/x.inc}\nURL: %(cat %{_sourcedir}/zero.inc %{_sourcedir}/x.inc)\n%if %{exists:x.inc}\nVendor: v\n%endif\nPatch0: x.inc\n%prep\n%patch -P0")
	beside := func(d *hostileDir, dir string) {
		if err := syscall.Mkfifo(d.path(dir+"/x.inc"), 0o644); err != nil {
			d.Skipf("no pipes here: %v", err)
		}
		if err := os.Symlink("/dev/zero", d.path(dir+"/zero.inc")); err != nil {
			d.Fatal(err)
		}
	}
	query := hostileQuery("query", spec)
	query.prep = func(d *hostileDir) { beside(d, "s") }
	runHostile(t, []hostile{query, {
		name:  "render",
		files: map[string]string{"p/azldev.toml": hostileProject("x"), "p/src/x.spec": spec},
		prep:  func(d *hostileDir) { beside(d, "p/src") },
		args:  []string{"render", "-a", "-C", "@/p", "-o", "@/out", "--cache-dir", "@/cache"},
	}})
}

// TestHostileSpecInterrupted holds that a computation ends when it is told to.
// The spec takes as long as the bounds let it.
func TestHostileSpecInterrupted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	spec := filepath.Join(dir, "x.spec")
	text := hostileSpec("x", strings.Repeat("%global a %(for i in $(seq 1 900); do seq 1 9000 | sort -rn | tail -1; done)\n", 100))
	if err := os.WriteFile(spec, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		cmd := exec.Command(program, "query", "--spec", spec, "--json")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(300 * time.Millisecond)
		_ = cmd.Process.Signal(sig)
		done := make(chan error, 1)
		go func() { done <- cmd.Wait() }()
		select {
		case <-done:
			// It may have been done before it was told to; on a slow machine the
			// signal comes before the program has asked for it.
			if code := cmd.ProcessState.ExitCode(); !slices.Contains([]int{cli.ExitOK, cli.ExitProblems, cli.ExitEnv, -1}, code) {
				t.Errorf("%v: exit code %d", sig, code)
			}
		case <-time.After(10 * time.Second):
			_ = cmd.Process.Kill()
			t.Errorf("%v is not obeyed", sig)
		}
	}
}
