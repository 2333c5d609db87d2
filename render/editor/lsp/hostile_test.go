package lsp

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestHostile feeds the server what no client should send. It answers, goes on,
// and writes no file.
func TestHostile(t *testing.T) {
	t.Parallel()
	dir, cache := example(t)
	before := tree(t, dir)
	c := start(t, dir, options(t, cache), "")
	const name = "components/hello-harbor/hello-harbor.comp.toml"
	fails := func(method string, params any) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if rsp, err := c.rpc.Call(ctx, method, params); err == nil {
			t.Errorf("%s with %v gives %s", method, params, rsp.ResultString())
		}
	}
	fine := func(method string, params any) {
		t.Helper()
		var res json.RawMessage
		c.call(method, params, &res)
	}
	doc := map[string]any{"uri": pathURI(c.path(name))}
	fails("initialize", map[string]any{})
	fails("textDocument/hover", map[string]any{"textDocument": 5})
	fails("textDocument/hover", []int{1})
	fails("no/such/method", nil)
	fails("workspace/executeCommand", map[string]any{"command": "specgraft.try", "arguments": []any{5, nil}})
	fails("workspace/executeCommand", map[string]any{"command": "specgraft.try", "arguments": []any{"hello-harbor", "type = \"file-add\"\nfile = \"x\"\nsource = \"/etc/passwd\""}})
	// Files that are not open, not files, or not there.
	fine("textDocument/hover", map[string]any{"textDocument": doc, "position": position{1, 1}})
	fine("textDocument/completion", map[string]any{"textDocument": map[string]any{"uri": "untitled:1"}, "position": position{1, 1}})
	c.notify("textDocument/didOpen", map[string]any{"textDocument": map[string]any{"uri": "untitled:1", "text": "x"}})
	c.notify("textDocument/didOpen", map[string]any{"textDocument": map[string]any{"uri": "file:///no/such/dir/x.toml", "text": "[x]\n"}})
	fine("textDocument/documentSymbol", map[string]any{"textDocument": map[string]any{"uri": "file:///no/such/dir/x.toml"}})
	c.notify("textDocument/didChange", map[string]any{"textDocument": doc, "contentChanges": []any{map[string]any{"text": "x"}}})
	c.notify("textDocument/didClose", map[string]any{"textDocument": doc})
	c.open(name)
	for _, p := range []position{{-1, -1}, {1 << 30, 0}, {0, 1 << 30}, {3, 1 << 30}} {
		for _, m := range []string{"hover", "completion", "definition", "references", "prepareRename"} {
			fine("textDocument/"+m, map[string]any{"textDocument": doc, "position": p})
		}
		fine("textDocument/codeAction", map[string]any{"textDocument": doc, "range": lspRange{p, position{0, 0}}, "context": map[string]any{}})
	}
	// Changes whose ranges lie nowhere, or end before they start.
	for _, r := range []lspRange{{position{5, 5}, position{1, 1}}, {position{1 << 30, 0}, position{1 << 30, 9}}, {position{-5, -5}, position{-4, 0}}} {
		c.notify("textDocument/didChange", map[string]any{"textDocument": doc, "contentChanges": []any{map[string]any{"range": r, "text": "\n"}}})
	}
	fine("textDocument/hover", map[string]any{"textDocument": doc, "position": position{1, 1}})
	// Lines of 10 MB, and things nested without end.
	for _, text := range []string{
		"x = \"" + strings.Repeat("a", 10<<20) + "\"\n",
		"[components.x]\ny = " + strings.Repeat("[", 1<<20) + "\n",
		strings.Repeat("{", 1<<20),
		"\x00\xff\xfe",
	} {
		c.notify("textDocument/didChange", map[string]any{"textDocument": doc, "contentChanges": []any{map[string]any{"text": text}}})
		fine("textDocument/completion", map[string]any{"textDocument": doc, "position": position{0, 10}})
		fine("textDocument/documentSymbol", map[string]any{"textDocument": doc})
	}
	c.settle()
	// A file that is deleted under the editor.
	if err := os.Remove(c.path(name)); err != nil {
		t.Fatal(err)
	}
	c.notify("workspace/didChangeWatchedFiles", map[string]any{"changes": []any{map[string]any{"uri": pathURI(c.path(name)), "type": 3}}})
	fine("textDocument/hover", map[string]any{"textDocument": doc, "position": position{1, 1}})
	c.settle()
	if err := c.end(); err != nil {
		t.Errorf("the server ended with %v", err)
	}
	delete(before, name)
	for path, text := range tree(t, dir) {
		if before[path] != text {
			t.Errorf("%s was written", path)
		}
		delete(before, path)
	}
	if len(before) > 0 {
		t.Errorf("%d files are gone", len(before))
	}
}

// tree returns the files of a directory.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	m := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		m[filepath.ToSlash(rel)] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestMessages sends bytes that are no messages, and messages out of order.
func TestMessages(t *testing.T) {
	t.Parallel()
	frame := func(s string) string { return fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(s), s) }
	initialize := frame(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}`)
	for name, tt := range map[string]struct {
		in   string
		want []string
		ok   bool // ends in order
	}{
		"nothing":       {"", nil, false},
		"rubbish":       {"rubbish\r\n\r\n" + initialize, []string{`"capabilities"`}, false},
		"no json":       {frame("{") + initialize, []string{`-32700`, `"capabilities"`}, false},
		"deep":          {frame(strings.Repeat("[", 1<<20)) + frame(`{"jsonrpc":"2.0","id":5,"method":"x","params":`+strings.Repeat(`{"a":`, 1<<20)) + initialize, []string{`-32700`, `"capabilities"`}, false},
		"deep, whole":   {initialize + frame(`{"jsonrpc":"2.0","id":5,"method":"textDocument/hover","params":`+strings.Repeat("[", 20_000)+strings.Repeat("]", 20_000)+"}"), []string{`"capabilities"`, `-32700`}, false},
		"deep params":   {initialize + frame(`{"jsonrpc":"2.0","id":5,"method":"textDocument/hover","params":{"textDocument":`+strings.Repeat("[", 9000)+strings.Repeat("]", 9000)+"}}"), []string{`"capabilities"`, `-32602`}, false},
		"no request":    {frame(`[1,2]`) + frame(`"x"`) + frame(`{"id":{}}`) + initialize, []string{`"error"`, `"capabilities"`}, false},
		"huge length":   {"Content-Length: 99999999999999999999999\r\n\r\n" + initialize, []string{`"capabilities"`}, false},
		"cut off":       {initialize + "Content-Length: 1000\r\n\r\n{", []string{`"capabilities"`}, false},
		"too early":     {frame(`{"jsonrpc":"2.0","id":7,"method":"textDocument/hover"}`) + initialize, []string{`-32002`, `"capabilities"`}, false},
		"too late":      {initialize + frame(`{"jsonrpc":"2.0","id":2,"method":"shutdown"}`) + frame(`{"jsonrpc":"2.0","id":3,"method":"textDocument/hover"}`) + frame(`{"jsonrpc":"2.0","method":"exit"}`), []string{`"id":2,"result":null`, `-32600`}, true},
		"same id twice": {initialize + frame(`{"jsonrpc":"2.0","id":"a","method":"shutdown"}`) + frame(`{"jsonrpc":"2.0","method":"exit"}`), []string{`"id":"a","result":null`}, true},
		"exit at once":  {frame(`{"jsonrpc":"2.0","method":"exit"}`), nil, false},
		"cancelled":     {initialize + frame(`{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":99}}`) + frame(`{"jsonrpc":"2.0","method":"$/cancelRequest","params":[]}`), []string{`"capabilities"`}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out sink
			done := make(chan error, 1)
			go func() { done <- Serve(context.Background(), strings.NewReader(tt.in), &out, Options{}) }()
			select {
			case err := <-done:
				if (err == nil) != tt.ok {
					t.Errorf("the server ended with %v", err)
				}
			case <-time.After(30 * time.Second):
				t.Fatal("the server does not end")
			}
			for _, w := range tt.want {
				if !strings.Contains(out.String(), w) {
					t.Errorf("no %s in %s", w, out.String())
				}
			}
		})
	}
}

type sink struct{ strings.Builder }

func (*sink) Close() error { return nil }

// TestDeadClient ends the server when the client is gone in the middle of
// everything.
func TestDeadClient(t *testing.T) {
	t.Parallel()
	dir, cache := example(t)
	c := start(t, dir, options(t, cache), "")
	c.open("components/hello-harbor/hello-harbor.comp.toml")
	c.close()
	select {
	case err := <-c.done:
		if err == nil {
			t.Error("a client that is gone without shutdown is no error")
		}
	case <-time.After(30 * time.Second):
		t.Fatal("the server does not end")
	}
}

var _ io.WriteCloser = (*sink)(nil)

// TestUTF8 counts in bytes where the client prefers that, else in UTF-16.
func TestUTF8(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		encodings string
		start     int
	}{{`["utf-8", "utf-16"]`, 36}, {`["utf-16"]`, 29}, {`[]`, 29}} {
		dir, cache := example(t)
		const name = "components/driftwood/driftwood.comp.toml"
		text := "[components.driftwood]\nspec = { x = \"äöü😀é\", tpye = \"upstream\" }\n"
		if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		c := start(t, dir, options(t, cache), `{"general": {"positionEncodings": `+tt.encodings+`}}`)
		c.open(name)
		c.settle()
		c.mu.Lock()
		found := -1
		for _, d := range c.diags[c.path(name)].Diagnostics {
			if strings.Contains(d.Message, "tpye") {
				found = d.Range.Start.Character
			}
		}
		c.mu.Unlock()
		col := strings.Index(strings.Split(text, "\n")[1], "tpye")
		if tt.start == 29 {
			col = len([]rune(strings.Split(text, "\n")[1][:col])) + 1 // the surrogate
		}
		if found != col {
			t.Errorf("%s: the problem is at %d, want %d", tt.encodings, found, col)
		}
	}
}
