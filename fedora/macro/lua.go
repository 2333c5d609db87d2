package macro

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/arnodel/golua/lib/base"
	"github.com/arnodel/golua/lib/mathlib"
	"github.com/arnodel/golua/lib/packagelib"
	"github.com/arnodel/golua/lib/stringlib"
	"github.com/arnodel/golua/lib/tablelib"
	"github.com/arnodel/golua/lib/utf8lib"
	lua "github.com/arnodel/golua/runtime"

	"specgraft/fedora/macro/fuel"
	"specgraft/overlay/regex"
)

// Bounds of all Lua code of one evaluation. A tick is roughly one instruction;
// the largest program in a real spec, which makes the packages of 180 fonts,
// takes five million, in a tenth of a second. Metamethods use the Go stack, and
// the deeper they call each other the longer each call takes: code that touches
// metatables, which no real spec has, gets what keeps both far from any limit.
const (
	luaTicks  = fuel.LuaTicks
	metaTicks = fuel.LuaMeta

	luaTickWork = 15 // of a tick, which takes 25 ns where a byte that is looked at takes some 2
	luaMemory   = fuel.LuaMemory
	luaNested   = fuel.LuaNested // %{lua:} inside of rpm.expand inside of %{lua:} ...
)

// A luaState is the Lua interpreter of one evaluation: as in rpm, all Lua code
// of a spec shares its global variables. It has the language with its string,
// table, math and utf8 libraries and rpm's own functions that compute. What
// reaches outside (io, os, posix, time, chance, modules) is there to be found
// missing: touching it makes the output of the code unknown.
type luaState struct {
	e       *Evaluator
	rt      *lua.Runtime
	out     *bytes.Buffer // of the code that runs now
	ticks   uint64        // left
	memory  uint64        // left
	meta    bool          // the code has touched metatables, which cost the most of the ticks
	nested  int
	joiner  lua.Value // the function that joins strings
	unknown string    // an unknown mark that the running code has met, or ""
}

// luaLibraries guards the functions of Lua's libraries, which all interpreters
// share: entering them into a new one writes to them each time what a running
// one reads.
var luaLibraries sync.RWMutex

// evalLua computes %{lua:…}; text is the code as it stands. The result is what
// the code prints or returns.
func (e *Evaluator) evalLua(text string) string {
	if t := taint(text); t != "" {
		return t
	}
	if luaFraction().MatchString(luaQuoted().ReplaceAllString(text, " ")) {
		// The interpreter writes 2.0 as "2" where texts are joined.
		return e.unknown("Lua code computes with fractions")
	}
	if e.lua == nil {
		e.lua = newLua(e)
	}
	s := e.lua
	if s.nested >= luaNested {
		return e.unknown("Lua code calls itself through macros")
	}
	outer, met := s.out, s.unknown
	var out bytes.Buffer
	s.out, s.unknown = &out, ""
	if s.nested == 0 {
		luaLibraries.RLock()
		defer luaLibraries.RUnlock()
	}
	s.nested++
	err := s.run(text)
	s.nested--
	mark := s.unknown
	s.out, s.unknown = outer, met
	switch {
	case mark != "":
		// The code went another way than it would have gone: what it was to
		// define is not known either.
		for _, name := range definedByLua(text) {
			e.table.push(&def{name: name, maybe: mark, pos: e.pos})
		}
		return mark
	case errors.Is(err, errLuaBudget):
		// rpm would go on; what the code was to define is not known.
		why := strings.TrimPrefix(err.Error(), errLuaBudget.Error()+": ")
		if err == errLuaBudget {
			why = fmt.Sprintf("Lua code takes more than %d steps or too much memory", luaTicks)
		}
		e.warn("macro/budget", "%s", why)
		mark := e.unknown(why)
		for _, name := range definedByLua(text) {
			e.table.push(&def{name: name, maybe: mark, pos: e.pos})
		}
		return mark
	case err != nil:
		e.fail("macro/error", "the Lua code fails: %s", luaMessage(err))
		return ""
	}
	return clean(out.String())
}

// definedByLua returns the names of macros that Lua code defines, as far as
// they stand in it as literals.
func definedByLua(text string) []string {
	var names []string
	for _, m := range luaDefinition().FindAllStringSubmatch(text, -1) {
		names = append(names, m[1]+m[2])
	}
	slices.Sort(names)
	return slices.Compact(names)
}

var (
	luaQuoted   = regex.Once(`"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|(?s:\[\[.*?\]\])|--[^\n]*`)
	luaFraction = regex.Once(`[^/]/[^/]|\^|[0-9]\.[0-9]|[0-9][eE][0-9+-]`)
)

var luaDefinition = regex.Once(`rpm\.define\s*\(?\s*(?:"|'|\[\[)\s*([A-Za-z_][A-Za-z0-9_]*)|macros\.([A-Za-z_][A-Za-z0-9_]*)\s*=[^=]`)

// luaMessage shortens an error of the interpreter to what its author wrote.
func luaMessage(err error) string {
	msg := err.Error()
	if i := strings.Index(msg, "\n"); i >= 0 {
		msg = msg[:i]
	}
	msg = luaPlace().ReplaceAllString(strings.TrimPrefix(msg, "error: "), "line $1: ")
	return excerpt(luaAddress().ReplaceAllString(msg, ""))
}

// luaPlace is where an error is in the chunk, which begins with a line of ours;
// luaAddress is where a value happens to be in memory.
var (
	luaPlace   = regex.Once(`\blua:(\d+)(?::\d+)?: `)
	luaAddress = regex.Once(`: 0x[0-9a-f]+`)
)

// run executes a chunk with the options and arguments of the macro it is in.
func (s *luaState) run(text string) (err error) {
	defer func() {
		// The interpreter is not ours, and specs come from anybody.
		if r := recover(); r != nil {
			err = fmt.Errorf("the interpreter gave up")
		}
	}()
	if s.ticks == 0 {
		return errLuaBudget
	}
	opt, arg := lua.NewTable(), lua.NewTable()
	if f := s.e.frame; f != nil {
		if f.taint != "" {
			s.unknown = f.taint
			return nil
		}
		for letter := range f.flags {
			opt.Set(lua.StringValue(string(letter)), lua.StringValue(f.options[letter]))
		}
		for letter, v := range f.options {
			opt.Set(lua.StringValue(string(letter)), lua.StringValue(v))
		}
		for i, a := range f.args {
			arg.Set(lua.IntValue(int64(i+1)), lua.StringValue(a))
		}
	}
	limits := lua.RuntimeContextDef{HardLimits: lua.RuntimeResources{Cpu: s.ticks, Memory: s.memory}}
	ctx, err := s.rt.MainThread().CallContext(limits, func() error {
		s.lists()
		chunk, err := s.compile(text)
		if err != nil {
			return err
		}
		end := lua.NewTerminationWith(nil, 0, true)
		if err := lua.Call(s.rt.MainThread(), lua.FunctionValue(chunk), []lua.Value{lua.TableValue(opt), lua.TableValue(arg), s.joiner}, end); err != nil {
			return err
		}
		for _, v := range end.Etc() {
			if err := s.print(v); err != nil {
				return err
			}
		}
		return nil
	})
	used := ctx.UsedResources()
	s.ticks -= min(s.ticks, used.Cpu)
	s.memory -= min(s.memory, used.Memory)
	s.e.work(int(used.Cpu)*luaTickWork+int(used.Memory), "%{lua:"+text)
	if ctx.Status() == lua.StatusKilled || s.memory == 0 {
		s.ticks = 0
		return errLuaBudget
	}
	return err
}

// lists sets the tables sources and patches to what the spec has so far.
func (s *luaState) lists() {
	spec := s.e.spec
	if spec == nil {
		return
	}
	env := s.rt.GlobalEnv()
	for name, list := range map[string][]Source{"source": spec.spec.Sources, "patch": spec.spec.Patches} {
		values, nums := lua.NewTable(), lua.NewTable()
		for i, src := range list {
			values.Set(lua.IntValue(int64(i+1)), lua.StringValue(sourceDir+"/"+src.Name))
			nums.Set(lua.IntValue(int64(i+1)), lua.IntValue(int64(src.Number)))
			if src.Name == "" || src.Maybe {
				values = s.missing(name + "s")
				break
			}
		}
		env.Set(lua.StringValue(plural(name)), lua.TableValue(values))
		env.Set(lua.StringValue(name+"_nums"), lua.TableValue(nums))
	}
}

func plural(name string) string {
	if strings.HasSuffix(name, "ch") {
		return name + "es"
	}
	return name + "s"
}

func newLua(e *Evaluator) *luaState {
	s := &luaState{e: e, ticks: luaTicks, memory: luaMemory}
	s.rt = lua.New(io.Discard)
	r := s.rt
	// The runtime has a finalizer and refers to itself: with it, it would never
	// be collected. It holds nothing that must be closed.
	runtime.SetFinalizer(r, nil)
	luaLibraries.Lock()
	packagelib.LibLoader.Run(r) // the others enter themselves in its table
	base.LibLoader.Run(r)
	stringlib.LibLoader.Run(r)
	tablelib.LibLoader.Run(r)
	mathlib.LibLoader.Run(r)
	utf8lib.LibLoader.Run(r)
	luaLibraries.Unlock()
	env := r.GlobalEnv()
	set := func(t *lua.Table, name string, args int, more bool, f func(*lua.Thread, []lua.Value) ([]lua.Value, error)) {
		fn := lua.NewGoFunction(func(t *lua.Thread, c *lua.GoCont) (lua.Cont, error) {
			t.RequireCPU(10)
			list := slices.Clone(c.Args())
			if more {
				list = append(list, c.Etc()...)
			}
			for len(list) < args {
				list = append(list, lua.NilValue)
			}
			out, err := f(t, list)
			if err != nil {
				return nil, err
			}
			for _, v := range out {
				s.made(t, v)
			}
			return c.PushingNext(t.Runtime, out...), nil
		}, name, args, more)
		lua.SolemnlyDeclareCompliance(luaSafe, fn)
		t.Set(lua.StringValue(name), lua.FunctionValue(fn))
	}
	for _, name := range []string{"dofile", "loadfile", "load", "collectgarbage", "warn"} {
		env.Set(lua.StringValue(name), lua.NilValue)
		set(env, name, 0, true, func(*lua.Thread, []lua.Value) ([]lua.Value, error) { return nil, s.meet("Lua code calls " + name) })
	}
	set(env, "require", 1, false, func(_ *lua.Thread, a []lua.Value) ([]lua.Value, error) {
		name, _ := a[0].ToString()
		return nil, s.meet("Lua code loads the module " + excerpt(name))
	})
	for _, name := range []string{"io", "os", "posix", "package", "debug", "coroutine"} {
		env.Set(lua.StringValue(name), lua.TableValue(s.missing(name)))
	}
	mathTable := env.Get(lua.StringValue("math")).AsTable()
	for _, name := range []string{"random", "randomseed"} {
		set(mathTable, name, 0, true, func(*lua.Thread, []lua.Value) ([]lua.Value, error) { return nil, s.meet("Lua code calls math." + name) })
	}
	set(env, "print", 0, true, func(_ *lua.Thread, a []lua.Value) ([]lua.Value, error) {
		for i, v := range a {
			if i > 0 {
				s.out.WriteByte('\t')
			}
			if err := s.print(v); err != nil {
				return nil, err
			}
		}
		return nil, nil
	})
	set(env, "tostring", 1, false, func(t *lua.Thread, a []lua.Value) ([]lua.Value, error) {
		text, err := s.text(t, a[0])
		return []lua.Value{lua.StringValue(text)}, err
	})
	for _, name := range []string{"setmetatable", "getmetatable"} {
		function := env.Get(lua.StringValue(name))
		set(env, name, 0, true, func(t *lua.Thread, a []lua.Value) ([]lua.Value, error) {
			if !s.meta {
				s.meta = true
				t.RequireCPU(luaTicks - metaTicks)
			}
			return one(lua.Call1(t, function, a...))
		})
	}
	number := env.Get(lua.StringValue("tonumber"))
	set(env, "tonumber", 2, false, func(t *lua.Thread, a []lua.Value) ([]lua.Value, error) {
		if a[1].IsNil() {
			a = a[:1]
		}
		v, err := lua.Call1(t, number, a...)
		if f, ok := v.TryFloat(); ok && f == math.Trunc(f) {
			return nil, s.meet("Lua code computes with fractions")
		}
		return one(v, err)
	})
	library := env.Get(lua.StringValue("string")).AsTable()
	format := library.Get(lua.StringValue("format"))
	set(library, "format", 1, true, func(t *lua.Thread, a []lua.Value) ([]lua.Value, error) {
		for _, v := range a {
			switch v.Type() {
			case lua.NilType, lua.BoolType, lua.IntType, lua.FloatType, lua.StringType:
			default:
				return nil, s.meet("Lua code prints an address")
			}
		}
		return one(lua.Call1(t, format, a...))
	})
	// The order in which a table is walked is fixed, as the result must be.
	next := lua.NewGoFunction(func(t *lua.Thread, c *lua.GoCont) (lua.Cont, error) {
		tab, err := c.TableArg(0)
		if err != nil {
			return nil, err
		}
		k := lua.NilValue
		if c.NArgs() > 1 {
			k = c.Arg(1)
		}
		keys := sortedLuaKeys(t, tab)
		i := 0
		if !k.IsNil() {
			i = slices.IndexFunc(keys, func(x lua.Value) bool { return x.Equals(k) }) + 1
		}
		if i >= len(keys) {
			return c.PushingNext1(t.Runtime, lua.NilValue), nil
		}
		return c.PushingNext(t.Runtime, keys[i], tab.Get(keys[i])), nil
	}, "next", 2, false)
	lua.SolemnlyDeclareCompliance(luaSafe, next)
	env.Set(lua.StringValue("next"), lua.FunctionValue(next))
	set(env, "pairs", 1, false, func(t *lua.Thread, a []lua.Value) ([]lua.Value, error) {
		tab, ok := a[0].TryTable()
		if !ok {
			return nil, errors.New("bad argument to pairs: a table is wanted")
		}
		if m := tab.Metatable(); m != nil && !m.Get(lua.StringValue("__pairs")).IsNil() {
			return nil, s.meet("Lua code walks over something other than a table")
		}
		keys, i := sortedLuaKeys(t, tab), 0
		step := lua.NewGoFunction(func(t *lua.Thread, c *lua.GoCont) (lua.Cont, error) {
			t.RequireCPU(1)
			for i < len(keys) {
				k := keys[i]
				i++
				if v := tab.Get(k); !v.IsNil() {
					return c.PushingNext(t.Runtime, k, v), nil
				}
			}
			return c.PushingNext1(t.Runtime, lua.NilValue), nil
		}, "next", 2, false)
		lua.SolemnlyDeclareCompliance(luaSafe, step)
		return []lua.Value{lua.FunctionValue(step), a[0], lua.NilValue}, nil
	})
	s.watch(set, library, "rep", "upper", "lower", "reverse", "sub", "gsub", "char", "format")
	tables := env.Get(lua.StringValue("table")).AsTable()
	s.watch(set, tables, "concat")
	sort := tables.Get(lua.StringValue("sort"))
	set(tables, "sort", 2, false, func(t *lua.Thread, a []lua.Value) ([]lua.Value, error) {
		if tab, ok := a[0].TryTable(); ok {
			t.RequireCPU(20 * uint64(tab.Len())) // comparisons of its own are not counted
		}
		if a[1].IsNil() {
			a = a[:1]
		}
		_, err := lua.Call1(t, sort, a...)
		return nil, err
	})
	s.watch(set, env.Get(lua.StringValue("utf8")).AsTable(), "char")
	join := lua.NewTable()
	set(join, "join", 2, false, s.join)
	s.joiner = join.Get(lua.StringValue("join"))
	env.Set(lua.StringValue("rpm"), lua.TableValue(s.library(set)))
	env.Set(lua.StringValue("macros"), lua.TableValue(s.macros(set)))
	return s
}

// luaSafe is what our functions promise the interpreter: they account for what
// they take and touch nothing outside.
const luaSafe = lua.ComplyCpuSafe | lua.ComplyMemSafe | lua.ComplyIoSafe | lua.ComplyTimeSafe

// sortedLuaKeys returns the keys of a table: numbers in order, then strings,
// then the rest.
func sortedLuaKeys(t *lua.Thread, tab *lua.Table) []lua.Value {
	var keys []lua.Value
	for k := lua.NilValue; ; {
		next, _, ok := tab.Next(k)
		if !ok || next.IsNil() {
			break
		}
		t.RequireCPU(2)
		keys = append(keys, next)
		k = next
	}
	rank := func(v lua.Value) (int, float64, string) {
		if n, ok := v.TryInt(); ok {
			return 0, float64(n), ""
		}
		if f, ok := v.TryFloat(); ok {
			return 0, f, ""
		}
		if str, ok := v.TryString(); ok {
			return 1, 0, str
		}
		return 2, 0, ""
	}
	slices.SortStableFunc(keys, func(a, b lua.Value) int {
		ra, na, sa := rank(a)
		rb, nb, sb := rank(b)
		return cmp.Or(cmp.Compare(ra, rb), cmp.Compare(na, nb), cmp.Compare(sa, sb))
	})
	return keys
}

// errLuaUnknown ends Lua code that met something unknown.
var errLuaUnknown = errors.New("this is not known")

// meet makes the result of the running code unknown. Code that catches the
// error does not get away with it.
func (s *luaState) meet(reason string) error {
	if s.unknown == "" {
		s.unknown = s.e.unknown(reason)
	}
	return errLuaUnknown
}

// known passes a text of the macro world to Lua.
func (s *luaState) known(text string) (lua.Value, error) {
	if t := taint(text); t != "" {
		if s.unknown == "" {
			s.unknown = t
		}
		return lua.NilValue, errLuaUnknown
	}
	if s.e.failed != "" {
		return lua.NilValue, errors.New(s.e.failed)
	}
	return lua.StringValue(s.e.unquote(text)), nil
}

// missing returns a table that stands for a library which reaches outside.
func (s *luaState) missing(name string) *lua.Table {
	t, m := lua.NewTable(), lua.NewTable()
	f := lua.NewGoFunction(func(t *lua.Thread, c *lua.GoCont) (lua.Cont, error) {
		key := ""
		if c.NArgs() > 1 {
			key, _ = c.Arg(1).ToString()
		}
		return nil, s.meet("Lua code uses " + name + "." + excerpt(key))
	}, name, 2, false)
	lua.SolemnlyDeclareCompliance(luaSafe, f)
	for _, key := range []string{"__index", "__len", "__pairs", "__call"} {
		m.Set(lua.StringValue(key), lua.FunctionValue(f))
	}
	t.SetMetatable(m)
	return t
}

func (s *luaState) print(v lua.Value) error {
	text, err := s.text(s.rt.MainThread(), v)
	if err == nil && s.out.Len()+len(text) > s.e.budget.Output {
		return errLuaBudget
	}
	s.out.WriteString(text)
	return err
}

// text is tostring: Lua 5.4 writes a float that is a whole number with a
// fraction. The address of a table or function is not known.
func (s *luaState) text(t *lua.Thread, v lua.Value) (string, error) {
	if f, ok := v.TryFloat(); ok {
		switch {
		case math.IsInf(f, 0) || math.IsNaN(f):
			return strconv.FormatFloat(f, 'g', -1, 64), nil
		case f == math.Trunc(f) && math.Abs(f) < 1e15:
			return strconv.FormatFloat(f, 'f', 1, 64), nil
		}
		return strconv.FormatFloat(f, 'g', 14, 64), nil
	}
	switch v.Type() {
	case lua.NilType, lua.BoolType, lua.IntType, lua.StringType:
		text, _ := v.ToString()
		return text, nil
	}
	if tab, ok := v.TryTable(); ok && tab.Metatable() != nil && !tab.Metatable().Get(lua.StringValue("__tostring")).IsNil() {
		return base.ToString(t, v)
	}
	return "", s.meet("Lua code prints an address")
}
