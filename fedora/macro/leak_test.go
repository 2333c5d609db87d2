package macro

import (
	"fmt"
	"runtime"
	"testing"
)

// TestLuaCollected holds that nothing is left of an evaluation that ran Lua.
// It is not parallel: it measures the heap.
func TestLuaCollected(t *testing.T) {
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	run := func(n int) {
		for i := range n {
			text := fmt.Sprintf("Name: x\nVersion: %d\nRelease: 1\nURL: %%{lua: print('a')}\n", i)
			if s := Eval("x.spec", []byte(text), Config{}); s.Version.Text != fmt.Sprint(i) {
				t.Fatalf("version %q", s.Version.Text)
			}
		}
	}
	run(10)
	before := heap()
	run(200)
	const each = 10 << 10 // bytes; a Lua state has 40 KiB
	if after := heap(); after > before+200*each {
		t.Errorf("200 evaluations left %d KiB on the heap", (after-before)>>10)
	}
}
