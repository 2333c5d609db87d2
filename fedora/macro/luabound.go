package macro

import (
	"errors"
	"fmt"

	"github.com/arnodel/golua/ast"
	"github.com/arnodel/golua/astcomp"
	"github.com/arnodel/golua/code"
	"github.com/arnodel/golua/ir"
	"github.com/arnodel/golua/ircomp"
	"github.com/arnodel/golua/ops"
	lua "github.com/arnodel/golua/runtime"
	"github.com/arnodel/golua/scanner"
	"github.com/arnodel/golua/token"

	"specgraft/fedora/macro/fuel"
)

// The interpreter bounds the instructions that code executes and the memory it
// allocates. Not bounded are the depth to which its parser and compiler recurse,
// and what one instruction takes that works on a long string. Both are here.

// luaTooLarge refuses code that nests deeper than the parser should go, before
// it is parsed. It reads the code's tokens, one after the other. Lua itself takes
// 200 levels of blocks, brackets and operators that wait for what is behind them.
func luaTooLarge(text string) error {
	if len(text) > fuel.LuaText {
		return fmt.Errorf("%w: Lua code is longer than %d bytes", errLuaBudget, fuel.LuaText)
	}
	sc := scanner.New("lua", []byte(text))
	d := luaDepth{}
	for n := 0; ; n++ {
		if n > fuel.LuaTokens {
			return fmt.Errorf("%w: Lua code has more than %d tokens", errLuaBudget, fuel.LuaTokens)
		}
		t := sc.Scan()
		switch t.Type {
		case token.EOF, token.INVALID, token.UNFINISHED: // the parser will see it, too
			return nil
		}
		d.token(t.Type)
		if d.deepest() > fuel.LuaDepth {
			return fmt.Errorf("%w: Lua code is nested more than %d levels deep", errLuaBudget, fuel.LuaDepth)
		}
		if d.chain > fuel.LuaChain {
			return fmt.Errorf("%w: Lua code has a chain of more than %d calls and indexes", errLuaBudget, fuel.LuaChain)
		}
	}
}

// A luaDepth follows the nesting of code.
type luaDepth struct {
	open    []luaLevel // brackets and blocks
	waiting int        // operators of the present expression that wait for their right side
	chain   int        // calls and indexes behind one another
	sum     int        // of what waits in open
	last    token.Type
}

// A luaLevel is what goes on when a bracket or block closes.
type luaLevel struct{ waiting, chain int }

func (d *luaDepth) deepest() int { return len(d.open) + d.sum + d.waiting }

func (d *luaDepth) push() {
	d.open = append(d.open, luaLevel{d.waiting, d.chain})
	d.sum += d.waiting
	d.waiting, d.chain = 0, 0
}

func (d *luaDepth) pop() {
	if len(d.open) == 0 {
		return
	}
	l := d.open[len(d.open)-1]
	d.open = d.open[:len(d.open)-1]
	d.waiting, d.chain = l.waiting, l.chain+1
	d.sum -= l.waiting
}

func (d *luaDepth) token(t token.Type) {
	switch t {
	case token.SgOpenBkt, token.SgOpenSquareBkt, token.SgOpenBrace, token.KwFunction, token.KwIf, token.KwDo, token.KwRepeat:
		d.push()
	case token.SgCloseBkt, token.SgCloseSquareBkt, token.SgCloseBrace, token.KwEnd, token.KwUntil:
		d.pop()
	case token.KwNot, token.SgMinus, token.SgTilde, token.SgHash, token.SgHat, token.SgConcat:
		d.waiting++
		d.chain = 0
	case token.SgDot, token.SgColon, token.STRING, token.LONGSTRING:
		d.chain++
	case token.IDENT:
		if d.last != token.SgDot && d.last != token.SgColon {
			d.chain = 0
		}
	case token.SgComma, token.SgSemicolon, token.SgAssign, token.KwThen, token.KwElse, token.KwElseIf, token.KwLocal, token.KwReturn, token.KwFor, token.KwWhile:
		d.waiting, d.chain = 0, 0
	default:
		d.chain = 0
	}
	d.last = t
}

// compile makes a function of a chunk. Joining strings becomes a call of join,
// which knows what long strings cost.
func (s *luaState) compile(text string) (*lua.Closure, error) {
	if err := luaTooLarge(text); err != nil {
		return nil, err
	}
	r := s.rt
	tree, size, err := r.ParseLuaChunk("lua", []byte("local opt, arg = ...; "+text))
	if err != nil {
		return nil, err
	}
	defer r.ReleaseMem(size)
	if len(tree.Stats) > 0 {
		if local, ok := tree.Stats[0].(ast.LocalStat); ok {
			join := ast.NewNameAttrib(ast.Name{Location: local.NameAttribs[0].Name.Location, Val: luaJoin}, nil, ast.NoAttrib)
			local.NameAttribs = append(local.NameAttribs, join)
			tree.Stats[0] = local
		}
	}
	var l luaRewrite
	l.block(tree)
	if l.strange != nil {
		return nil, l.strange
	}
	r.LinearRequire(4, 2*size) // as the interpreter itself estimates compiling
	defer r.ReleaseMem(2 * size)
	index, constants, err := astcomp.CompileLuaChunk("lua", *tree)
	if err != nil {
		return nil, err
	}
	constants = ir.FoldConstants(constants, ir.DefaultFold)
	comp := ircomp.NewConstantCompiler(constants, code.NewBuilder("lua"))
	comp.QueueConstant(index)
	unit, err := comp.CompileQueue()
	if err != nil {
		return nil, err
	}
	return r.LoadLuaUnit(unit, lua.TableValue(r.GlobalEnv())), nil
}

// luaJoin is the name of a local variable that no code can write.
const luaJoin = "joining strings"

// A luaRewrite replaces what joins strings in a tree.
type luaRewrite struct {
	strange error // a kind of node that is not known
}

func (l *luaRewrite) block(b *ast.BlockStat) {
	if b == nil {
		return
	}
	for i := range b.Stats {
		b.Stats[i] = l.stat(b.Stats[i])
	}
	l.list(b.Return)
}

func (l *luaRewrite) list(list []ast.ExpNode) {
	for i := range list {
		list[i] = l.exp(list[i])
	}
}

func (l *luaRewrite) cond(c *ast.CondStat) {
	c.Cond = l.exp(c.Cond)
	l.block(&c.Body)
}

func (l *luaRewrite) stat(n ast.Stat) ast.Stat {
	switch s := n.(type) {
	case ast.BlockStat:
		l.block(&s)
		return s
	case *ast.BlockStat:
		l.block(s)
	case ast.AssignStat:
		for i, d := range s.Dest {
			if x, ok := d.(ast.IndexExp); ok {
				s.Dest[i] = l.index(x)
			}
		}
		l.list(s.Src)
	case ast.LocalStat:
		l.list(s.Values)
	case ast.LocalFunctionStat:
		l.block(&s.Body)
		return s
	case *ast.ForInStat:
		l.list(s.Params)
		l.block(&s.Body)
	case *ast.ForStat:
		s.Start, s.Stop = l.exp(s.Start), l.exp(s.Stop)
		if s.Step != nil {
			s.Step = l.exp(s.Step)
		}
		l.block(&s.Body)
	case ast.IfStat:
		l.cond(&s.If)
		for i := range s.ElseIfs {
			l.cond(&s.ElseIfs[i])
		}
		l.block(s.Else)
		return s
	case ast.WhileStat:
		l.cond(&s.CondStat)
		return s
	case ast.RepeatStat:
		l.cond(&s.CondStat)
		return s
	case ast.FunctionCall:
		l.call(s.BFunctionCall)
	case ast.BreakStat, ast.EmptyStat, ast.GotoStat, ast.LabelStat:
	default:
		l.unknown(n)
	}
	return n
}

func (l *luaRewrite) unknown(n any) {
	if l.strange == nil {
		l.strange = fmt.Errorf("the interpreter gave up at %T", n)
	}
}

func (l *luaRewrite) index(x ast.IndexExp) ast.IndexExp {
	x.Coll, x.Idx = l.exp(x.Coll), l.exp(x.Idx)
	return x
}

func (l *luaRewrite) call(c *ast.BFunctionCall) {
	c.Target = l.exp(c.Target)
	l.list(c.Args)
}

func (l *luaRewrite) exp(n ast.ExpNode) ast.ExpNode {
	switch e := n.(type) {
	case *ast.BinOp:
		return l.binary(e)
	case *ast.UnOp:
		e.Operand = l.exp(e.Operand)
	case ast.Function:
		l.block(&e.Body)
		return e
	case ast.FunctionCall:
		l.call(e.BFunctionCall)
	case *ast.BFunctionCall:
		l.call(e)
	case ast.IndexExp:
		return l.index(e)
	case ast.TableConstructor:
		for i := range e.Fields {
			f := &e.Fields[i]
			if _, none := f.Key.(ast.NoTableKey); !none {
				f.Key = l.exp(f.Key)
			}
			f.Value = l.exp(f.Value)
		}
	case ast.Name, ast.String, ast.Int, ast.Float, ast.Bool, ast.Nil, ast.Etc:
	default:
		l.unknown(n)
	}
	return n
}

func (l *luaRewrite) binary(e *ast.BinOp) ast.ExpNode {
	e.Left = l.exp(e.Left)
	for i := range e.Right {
		e.Right[i].Operand = l.exp(e.Right[i].Operand)
	}
	if e.OpType != ops.OpConcat.Type() {
		return e
	}
	joined := e.Left
	for _, r := range e.Right {
		call := ast.NewFunctionCall(ast.Name{Location: e.Location, Val: luaJoin}, ast.Name{}, []ast.ExpNode{joined, r.Operand})
		joined = call.InBrackets()
	}
	return joined
}

// join joins two values as the operator does.
func (s *luaState) join(t *lua.Thread, a []lua.Value) ([]lua.Value, error) {
	return one(lua.Concat(t, a[0], a[1]))
}

// Strings above this length bound the instructions that may follow.
const luaLong = 4096

// luaReach is the number of bytes that all instructions together may work on, if
// each worked on the longest string there is: comparing, hashing and reading a
// number take as long as the string is, and count as one instruction.
const luaReach = 4_000_000_000

// made looks at a value that code has made. When it is a long string, the
// instructions that are left must be few enough.
func (s *luaState) made(t *lua.Thread, v lua.Value) {
	if text, ok := v.TryString(); ok && len(text) > luaLong {
		if left, allowed := t.UnusedCPU(), uint64(luaReach/len(text)); left > allowed {
			t.RequireCPU(left - allowed)
		}
	}
}

// watch replaces the functions of a library that make strings by ones that are
// ours and so account for them.
func (s *luaState) watch(set luaSet, library *lua.Table, names ...string) {
	for _, name := range names {
		f := library.Get(lua.StringValue(name))
		set(library, name, 0, true, func(t *lua.Thread, a []lua.Value) ([]lua.Value, error) {
			end := lua.NewTerminationWith(t.CurrentCont(), 0, true)
			err := lua.Call(t, f, a, end)
			return end.Etc(), err
		})
	}
}

// errLuaBudget ends Lua code that takes too much.
var errLuaBudget = errors.New("budget")
