package shell

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// shellCases are commands with their output; "?" means that it is not known.
var shellCases = []struct{ cmd, want string }{
	{"LC_ALL=C; printf '%.6f' '2.143'", "2.143000"},
	{"printf '%.2f %.0f %f %6.1f|' 0.125 2.5 -3 1.25", "0.12 2 -3.000000    1.2|"},
	{"printf '%.20f' 0.1", "0.10000000000000000000"},
	{"printf '%.1f' 1e3", "?"},
	{"d=/usr/lib/rpm/macros.d; [ -d $d ] || d=/etc/rpm; echo $d", "/usr/lib/rpm/macros.d"},
	{"[ -d /no/such/directory ] && echo yes", "?"},
	{"c=0123456789abcdef; echo ${c:0:7}", "0123456"},
	{"v=1.2.3; echo ${v%.*}", "1.2"},
	{"v=1.2.3; echo ${v%%.*}", "1"},
	{"v=1.2.3; echo ${v//./_}", "1_2_3"},
	{"v=1.2.3; echo ${v/.*}", "1"},
	{"foo=abcdefgh; echo ${foo:6}", "gh"},
	{"t='ABC def'; echo ${t,,}", "abc def"},
	{"v=12; echo $((++v))", "13"},
	{"echo $((64+2))", "66"},
	{"echo 1.2.3 | cut -d. -f1-2", "1.2"},
	{"echo 1.2.3|cut -d\\. -f1", "1"},
	{"echo 1.2.3 | cut -d. -f1,2,3 --output-delimiter .", "1.2.3"},
	{"echo abcdef | cut -c2-4", "bcd"},
	{"echo abcdef | cut -c-3", "abc"},
	{"echo a.b | cut -d: -f2", "a.b"},
	{"echo a.b | cut -s -d: -f2", ""},
	{"echo 1~rc2 | tr '~' '.'", "1.rc2"},
	{"echo 1~rc2 | tr -d '~'", "1rc2"},
	{"tr . _ <<< 1.2.3", "1_2_3"},
	{"echo Hello | tr '[:upper:]' '[:lower:]'", "hello"},
	{"echo Hello | tr A-Z a-z", "hello"},
	{"echo aabbcc | tr -s a-b", "abcc"},
	{"echo 'a-b_c' | tr -cd '[:alnum:]'", "abc"},
	{"echo abc | tr a-c x", "xxx"},
	{"sed 's/\\.//g' <<< 1.2.3", "123"},
	{"echo 1.2.3 | sed -e 's/\\./-/g'", "1-2-3"},
	{"echo 1.2.3 | sed 's/.*\\.//'", "3"},
	{"echo 12345 | sed 's/\\(....\\)\\(.\\)/\\1.\\2/'", "1234.5"},
	{"echo 1.5.7 | sed 's/\\(.*\\)\\..*/\\1/'", "1.5"},
	{"echo ..5 | sed -e 's|^\\.\\.*||'", "5"},
	{"echo v1.2 | sed -r 's,[\\^~v],,g'", "1.2"},
	{"echo 'a  b' | sed -E 's/ +/ /'", "a b"},
	{"echo aaa | sed 's/a/b/2'", "aba"},
	{"echo aaa | sed 's/x*/-/g'", "-a-a-a-"},
	{"echo abc | sed 's/b*/X/g'", "XaXcX"},
	{"echo abc | sed 's/b/[&]/'", "a[b]c"},
	{"echo ABC | sed 's/b/x/I'", "AxC"},
	{"printf 'a\\nb\\nc\\n' | sed -n 2p", "b"},
	{"printf 'a\\nb\\nc\\n' | sed 2d", "a\nc"},
	{"printf 'a\\nb\\nc\\n' | sed '/b/,$d'", "a"},
	{"printf 'a\\nb\\nc\\n' | sed '$!d'", "c"},
	{"echo abc | sed 'y/abc/xyz/'", "xyz"},
	{"echo abc | sed 's/a/x/;s/b/y/'", "xyc"},
	{"echo a/b | sed 's/\\//-/'", "a-b"},
	{"echo '-g -O2' | sed 's/-g /-g1 /'", "-g1 -O2"},
	{"echo '-O2 -g' | sed 's/-O[[:digit:]]//'", " -g"},
	{"echo 'a]b' | sed 's/[]]/x/'", "axb"},
	{"echo 'a*b' | sed 's/*/x/'", "axb"},
	{"echo 'a+b' | sed 's/+/x/'", "axb"},
	{"echo aab | sed 's/a\\+/x/'", "xb"},
	{"echo 'ab|c' | sed 's/b|c/x/'", "ax"},
	{"echo abab | sed -E 's/(ab)+/x/'", "x"},
	{"echo foobar | sed -E 's/foo|foobar/x/'", "x"},
	{"echo 1.2.3 | awk -F. '{print $1\".\"$2}'", "1.2"},
	{"echo 1.2.3 | awk -F. '{ print $NF }'", "3"},
	{"echo 'a b c' | awk '{print $2}'", "b"},
	{"echo 'a b c' | awk '{print $1,$3}'", "a c"},
	{"printf 'x 1\\ny 2\\n' | awk '/y/ {print $2}'", "2"},
	{"printf 'x 1\\ny 2\\n' | awk 'NR==2{print NF}'", "2"},
	{"echo 1.2 | awk 'BEGIN{FS=\".\"}{printf \"%03d%03d\\n\", $1, $2}'", "001002"},
	{"echo a,b | awk -F, '{print $(NF-1)}'", "a"},
	{"printf 'b\\na\\n' | sort", "a\nb"},
	{"printf '10\\n9\\n' | sort -n", "9\n10"},
	{"printf '1.10\\n1.9\\n' | sort -V | tail -1", "1.10"},
	{"printf 'a\\nb\\nc\\n' | head -n 2", "a\nb"},
	{"printf 'a\\nb\\nc\\n' | head -1", "a"},
	{"printf 'a\\nb\\nc\\n' | tail -n1", "c"},
	{"echo abc | rev", "cba"},
	{"basename /a/b/c.tar.gz .gz", "c.tar"},
	{"dirname /a/b/c", "/a/b"},
	{"printf '%s-%s' a b", "a-b"},
	{"printf '%s ' a b c", "a b c "},
	{"printf '%02d' 7", "07"},
	{"printf -- '--skip %s ' a b", "--skip a --skip b "},
	{"date -d 20240131 +%Y.%m", "2024.01"},
	{"date -u -d @0 +%F", "1970-01-01"},
	{"date +%s", "?"},
	{"date +%s -d '1 year ago'", "?"},
	{"echo 2.0 | grep '\\.0$' >/dev/null; echo $?", "0"},
	{"echo 2.1 | grep -q '\\.0$'; echo $?", "1"},
	{"echo foo123 | grep -o '[0-9]*'", "123"},
	{"test a = b || echo testing/", "testing/"},
	{"[ 3 -gt 2 ] && echo yes", "yes"},
	{"[[ abc == a* ]] && echo yes", "yes"},
	{"[[ abc == \"a*\" ]] || echo no", "no"},
	{"if [ x = y ]; then echo a; else echo b; fi", "b"},
	{"case 1.2 in 1.*) echo one;; *) echo other;; esac", "one"},
	{"v=1.0.0; for i in 1 2 3; do v=${v%.0}; done; echo $v", "1"},
	{"echo a; echo b", "a\nb"},
	{"{ echo a; echo b; } | tail -1", "b"},
	{"(x=1; echo $x); x=2; echo $x", "1\n2"},
	{"x=`echo y`; echo $x", "y"},
	{"x=$(echo a | tr a b); echo $x", "b"},
	{"cat <<EOF\nhello\nEOF\n", "hello"},
	{"echo -n abc", "abc"},
	{"echo -e 'a\\tb'", "a\tb"},
	{"echo 'a'  b", "a b"},
	{"expr 2 + 3", "5"},
	{"seq 1 3 | tac | head -1", "3"},
	{"echo abc | wc -c", "4"},
	{"true && echo ok", "ok"},
	{"! false && echo ok", "ok"},
	{"LANG=C echo x", "x"},
	{"exit 3", ""},
	{"x=; echo \"[$x]\"", "[]"},
	{"x=a; x+=b; echo $x", "ab"},
	{"echo ${x-dflt}", "?"}, // x could be in the environment
	{"echo $HOME", "?"},
	{"echo ~", "?"},
	{"echo ~root", "?"},
	{"pwd", "?"},
	{"uname -m", "?"},
	{"rpm -q foo", "?"},
	{"cat /etc/passwd", "?"},
	{"cat < /etc/passwd", "?"},
	{"echo x > /tmp/y", "?"},
	{"echo x &", "?"},
	{"echo *", "?"},
	{"ls", "?"},
	{"eval echo x", "x"},
	{"eval 'a=1; echo $a'; echo $a", "1\n1"},
	{"eval echo 2.41.1 | /usr/bin/sed -e 's/\\([[:digit:]]*\\)\\.\\([[:digit:]]*\\)\\.[[:digit:]]*$/\\1.\\2/'", "2.41"},
	{"eval eval eval echo y", "y"},
	{"eval 'if'", "?"},
	{"eval touch x", "?"},
	{"/usr/bin/touch x", "?"},
	{"/sbin/echo x", "?"},
	{"source /etc/os-release; echo $ID", "?"},
	{"[ -d /usr ] && echo yes", "?"},
	{"$(echo echo) x", "?"},
	{"echo {1..5}", "?"},
	{"while true; do :; done", "?"},
	{"x=a; for i in 1 2 3 4 5 6 7 8 9; do x=$x$x$x$x$x$x$x$x$x$x; done; echo $x", "?"},
	{"echo $RANDOM", "?"},
	{"sed 's/a/\\U&/' <<< a", "?"},
	{"sed 's/\\(a\\)\\1/x/' <<< aa", "?"},
	{"echo x | tee y", "?"},
	{"echo $(<x)", "?"},
	{"diff <(echo a) <(echo b)", "?"},
	{"unknown || echo fallback", "?"},
}

func TestShell(t *testing.T) {
	t.Parallel()
	for _, c := range shellCases {
		got, err := Run(c.cmd, Env{})
		got = strings.TrimRight(got, "\n")
		if err != nil {
			got = "?"
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q (%v)", c.cmd, got, c.want, err)
		}
	}
}

// TestShellOracle compares what is known with the real shell.
func TestShellOracle(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("no bash here: the table was not compared with it")
	}
	if out, err := exec.Command("sed", "--version").Output(); err != nil || !strings.Contains(string(out), "GNU") {
		t.Skip("no GNU tools here: the table was not compared with them")
	}
	_, noRPM := os.Stat("/usr/lib/rpm/macros.d")
	for _, c := range shellCases {
		if c.want == "?" || strings.Contains(c.cmd, "awk") {
			continue
		}
		if noRPM != nil && strings.Contains(c.cmd, "macros.d") {
			t.Logf("%s: not compared, %v", c.cmd, noRPM)
			continue
		}
		cmd := exec.Command("bash", "-c", c.cmd)
		cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "TZ=UTC")
		var stderr strings.Builder
		cmd.Stderr = &stderr
		out, _ := cmd.Output() // rpm does not look at the status either
		if strings.Contains(stderr.String(), "command not found") {
			t.Logf("%s: not compared: %s", c.cmd, strings.TrimSpace(stderr.String()))
			continue
		}
		if got := strings.TrimRight(string(out), "\n"); got != c.want {
			t.Errorf("%s: the shell says %q, the table %q", c.cmd, got, c.want)
		}
	}
}

func FuzzShell(f *testing.F) {
	for _, c := range shellCases {
		f.Add(c.cmd)
	}
	f.Add("sed '/[[:]/'")
	f.Fuzz(func(t *testing.T, cmd string) {
		Run(cmd, Env{})
	})
}
