package macro

import (
	"go/token"
	"runtime"
	"testing"
	"time"
	"weak"
)

// TestLuaIsCollected holds that an evaluation with Lua code leaves nothing behind:
// a run of thousands of specs would keep the interpreter of each.
func TestLuaIsCollected(t *testing.T) {
	t.Parallel()
	state := func() weak.Pointer[luaState] {
		e := New(Config{Set: Builtin()})
		if got := e.Expand(token.Position{}, "%{lua: function f() return 1 end print(f() + 1)}"); got.Text != "2" {
			t.Fatalf("the code prints %q", got.Text)
		}
		return weak.Make(e.lua)
	}()
	for range 100 {
		if runtime.GC(); state.Value() == nil {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Error("the interpreter is not collected")
}
