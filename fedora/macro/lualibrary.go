package macro

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	lua "github.com/arnodel/golua/runtime"
)

// A luaSet enters a function of ours under a name in a table.
type luaSet func(t *lua.Table, name string, args int, more bool, f func(*lua.Thread, []lua.Value) ([]lua.Value, error))

func one(v lua.Value, err error) ([]lua.Value, error) {
	if err != nil {
		return nil, err
	}
	return []lua.Value{v}, nil
}

// library is the table rpm, as far as it computes.
func (s *luaState) library(set luaSet) *lua.Table {
	t := s.missing("rpm")
	text := func(name string, f func(string) ([]lua.Value, error)) {
		set(t, name, 1, false, func(_ *lua.Thread, a []lua.Value) ([]lua.Value, error) {
			str, ok := a[0].ToString()
			if !ok {
				return nil, fmt.Errorf("bad argument to rpm.%s: a string is wanted", name)
			}
			return f(str)
		})
	}
	e := s.e
	text("expand", func(str string) ([]lua.Value, error) { return one(s.known(e.sub(str))) })
	text("define", func(str string) ([]lua.Value, error) {
		d, ok := parseDefinition(str)
		if !ok {
			return nil, fmt.Errorf("rpm.define cannot read %s", excerpt(str))
		}
		d.pos = e.pos
		e.table.push(d)
		return nil, nil
	})
	text("undefine", func(str string) ([]lua.Value, error) { e.table.pop(str); return nil, nil })
	text("isdefined", func(str string) ([]lua.Value, error) {
		d := e.table.lookup(str)
		if d != nil && d.maybe != "" {
			if s.unknown == "" {
				s.unknown = d.maybe
			}
			return nil, errLuaUnknown
		}
		return []lua.Value{lua.BoolValue(d != nil || e.builtins[str] != nil), lua.BoolValue(d != nil && d.param)}, nil
	})
	text("load", func(str string) ([]lua.Value, error) {
		builtinLoad(e, &call{args: []string{str}})
		if e.failed != "" {
			return nil, errors.New(e.failed)
		}
		return nil, nil
	})
	set(t, "vercmp", 2, false, func(_ *lua.Thread, a []lua.Value) ([]lua.Value, error) {
		x, ok1 := a[0].ToString()
		y, ok2 := a[1].ToString()
		if !ok1 || !ok2 {
			return nil, errors.New("bad argument to rpm.vercmp: two strings are wanted")
		}
		vx, ok1 := parseEVR(x)
		vy, ok2 := parseEVR(y)
		if !ok1 || !ok2 {
			return nil, errors.New("rpm.vercmp wants versions")
		}
		return []lua.Value{lua.IntValue(int64(vx.Compare(vy)))}, nil
	})
	text("b64encode", func(str string) ([]lua.Value, error) {
		return []lua.Value{lua.StringValue(base64.StdEncoding.EncodeToString([]byte(str)))}, nil
	})
	text("b64decode", func(str string) ([]lua.Value, error) {
		b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(str))
		return one(lua.StringValue(string(b)), err)
	})
	text("splitargs", func(str string) ([]lua.Value, error) {
		list := lua.NewTable()
		for i, w := range e.words(str) {
			list.Set(lua.IntValue(int64(i+1)), lua.StringValue(w))
		}
		return []lua.Value{lua.TableValue(list)}, nil
	})
	return t
}

// macros is the table through which Lua reads, sets and calls macros.
func (s *luaState) macros(set luaSet) *lua.Table {
	t, m := lua.NewTable(), lua.NewTable()
	e := s.e
	set(m, "__index", 2, false, func(_ *lua.Thread, a []lua.Value) ([]lua.Value, error) {
		name, ok := a[1].ToString()
		if !ok {
			return []lua.Value{lua.NilValue}, nil
		}
		d, b := e.table.lookup(name), e.builtins[name]
		switch {
		case d == nil && b == nil:
			return []lua.Value{lua.NilValue}, nil
		case d != nil && !d.param && d.native == nil && d.maybe == "":
			return one(s.known(e.sub("%{" + name + "}")))
		case d != nil && d.maybe != "":
			return one(s.known(d.maybe))
		}
		f := lua.NewTable()
		set(f, "call", 0, true, func(_ *lua.Thread, a []lua.Value) ([]lua.Value, error) {
			var words []string
			for _, v := range a {
				if tab, ok := v.TryTable(); ok { // a table holds arguments, a string is expanded and split
					for i := int64(1); i <= tab.Len(); i++ {
						w, _ := tab.Get(lua.IntValue(i)).ToString()
						words = append(words, w)
					}
					return one(s.known(e.invokeWith(name, words)))
				}
				w, ok := v.ToString()
				if !ok {
					return nil, errors.New("a macro takes strings")
				}
				words = append(words, w)
			}
			if d == nil {
				return one(s.known(e.sub("%{" + name + ":" + strings.Join(words, " ") + "}")))
			}
			return one(s.known(e.sub("%{" + name + " " + strings.Join(words, " ") + "}")))
		})
		return []lua.Value{f.Get(lua.StringValue("call"))}, nil
	})
	set(m, "__newindex", 3, false, func(_ *lua.Thread, a []lua.Value) ([]lua.Value, error) {
		name, ok := a[1].ToString()
		if !ok {
			return nil, errors.New("the name of a macro is a string")
		}
		if a[2].IsNil() {
			e.table.pop(name)
			return nil, nil
		}
		body, ok := a[2].ToString()
		if !ok {
			return nil, errors.New("the body of a macro is a string")
		}
		d, ok := parseDefinition(name + " " + body)
		if !ok {
			return nil, fmt.Errorf("a macro cannot be called %s", excerpt(name))
		}
		d.pos = e.pos
		e.table.push(d)
		return nil, nil
	})
	t.SetMetatable(m)
	return t
}
