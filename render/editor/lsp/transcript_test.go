package lsp

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"specgraft/components"
	"specgraft/render"
)

// TestTranscripts plays the scripts of testdata: each line that begins with >
// is what the editor does, and what stands below it is the answer of the server
// to the example distribution. -update writes the answers.
func TestTranscripts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("testdata", "*.transcript"))
	if err != nil || len(files) == 0 {
		t.Fatal("there are no transcripts")
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".transcript"), func(t *testing.T) {
			t.Parallel()
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			dir, cache := example(t)
			opt, gate := options(t, cache), &sync.RWMutex{}
			renderer := opt.Editor.Renderer
			opt.Editor.Renderer = func(p *components.Project) (*render.Renderer, error) {
				gate.RLock()
				defer gate.RUnlock()
				return renderer(p)
			}
			var c *client
			var folders []string
			have := func(step string) bool { // what is there before the editor starts
				verb, rest, _ := strings.Cut(step, " ")
				switch verb {
				case "have":
					name, text, _ := strings.Cut(rest, " ")
					write(t, filepath.Join(dir, filepath.FromSlash(name)), text)
				case "folders":
					folders = strings.Fields(rest)
				default:
					return false
				}
				return true
			}
			var got bytes.Buffer
			for line := range strings.Lines(string(want)) {
				switch {
				case strings.HasPrefix(line, "# ") || line == "\n" && got.Len() == 0:
					got.WriteString(line)
				case strings.HasPrefix(line, "> "):
					if got.Len() > 0 && !strings.HasSuffix(got.String(), "\n\n") && !strings.HasPrefix(lastLine(got.String()), "#") {
						got.WriteString("\n")
					}
					got.WriteString(line)
					if c == nil {
						if have(strings.TrimSpace(line[2:])) {
							continue
						}
						c = start(t, dir, opt, "", folders...)
						c.gate = gate
					}
					for out := range strings.Lines(c.play(strings.TrimSpace(line[2:]))) {
						out = strings.TrimRight(out, "\n")
						got.WriteString(strings.TrimRight("    "+out, " ") + "\n")
					}
				}
			}
			if err := c.end(); err != nil {
				t.Errorf("the server ended with %v", err)
			}
			if *update {
				if err := os.WriteFile(file, got.Bytes(), 0o666); err != nil {
					t.Fatal(err)
				}
			} else if d := cmp.Diff(string(want), got.String()); d != "" {
				t.Errorf("%s (-want +got):\n%s", file, d)
			}
		})
	}
}

// write writes a file of a script, in which \n stands for the end of a line.
func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(text, `\n`, "\n")), 0o666); err != nil {
		t.Fatal(err)
	}
}

func lastLine(s string) string {
	s = strings.TrimSuffix(s, "\n")
	return s[strings.LastIndexByte(s, '\n')+1:]
}

// play does one step of a script and returns the answer.
func (c *client) play(step string) string {
	c.t.Helper()
	verb, rest, _ := strings.Cut(step, " ")
	name, rest, _ := strings.Cut(rest, " ")
	path := c.path(name)
	doc := map[string]any{"uri": pathURI(path)}
	at := func(needle string) map[string]any {
		return map[string]any{"textDocument": doc, "position": c.at(path, needle)}
	}
	var b strings.Builder
	switch verb {
	case "open":
		c.open(name)
	case "close":
		delete(c.texts, path)
		c.notify("textDocument/didClose", map[string]any{"textDocument": doc})
	case "write": // by somebody else
		write(c.t, path, rest)
		c.notify("workspace/didChangeWatchedFiles", map[string]any{"changes": []any{map[string]any{"uri": pathURI(path), "type": 2}}})
	case "remove":
		if err := os.Remove(path); err != nil {
			c.t.Fatal(err)
		}
		c.notify("workspace/didChangeWatchedFiles", map[string]any{"changes": []any{map[string]any{"uri": pathURI(path), "type": 3}}})
	case "folder": // add or remove one
		change := map[string]any{"added": []any{}, "removed": []any{}}
		change[name] = []any{map[string]any{"uri": pathURI(c.path(rest)), "name": filepath.Base(rest)}}
		c.notify("workspace/didChangeWorkspaceFolders", map[string]any{"event": change})
	case "watched":
		const method = "client/registerCapability "
		c.until("what it watches", func() bool {
			return slices.ContainsFunc(c.asked, func(a string) bool { return strings.HasPrefix(a, method) })
		})
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, a := range c.asked {
			if params, ok := strings.CutPrefix(a, method); ok {
				b.WriteString(params + "\n")
			}
		}
	case "progress":
		c.settle()
		c.until("that its work has ended", func() bool { return len(c.progress) > 0 && len(c.titles) == 0 })
		c.mu.Lock()
		defer c.mu.Unlock()
		b.WriteString(strings.Join(c.progress, "\n"))
		c.progress = nil
	case "hold": // rendering, until something is cancelled
		c.settle()
		c.gate.Lock()
	case "cancel": // FILE METHOD NEEDLE, while rendering is held
		method, needle, _ := strings.Cut(rest, " ")
		return c.cancelled(method, at(needle))
	case "edit": // OLD => NEW
		old, now, ok := strings.Cut(strings.ReplaceAll(rest, `\n`, "\n"), " => ")
		i := strings.Index(c.texts[path].S, old)
		if !ok || i < 0 {
			c.t.Fatalf("%s has no %q", name, old)
		}
		c.replace(path, i, i+len(old), strings.TrimPrefix(now, "nothing"))
	case "diagnostics":
		c.settle()
		c.mu.Lock()
		defer c.mu.Unlock()
		names := map[int]string{1: "error", 2: "warning", 3: "information", 4: "hint"}
		for _, d := range c.diags[path].Diagnostics {
			fmt.Fprintf(&b, "%s %s %s: %s", span(d.Range), names[d.Severity], d.Code, c.shown(strings.ReplaceAll(d.Message, "\n", "\n    ")))
			if len(d.Tags) > 0 {
				fmt.Fprintf(&b, " tags %v", d.Tags)
			}
			b.WriteString("\n")
			for _, r := range d.Related {
				fmt.Fprintf(&b, "    %s %s: %s\n", c.shown(r.Location.URI), span(r.Location.Range), r.Message)
			}
		}
		if len(c.diags[path].Diagnostics) == 0 {
			b.WriteString("none\n")
		}
	case "hover":
		var h *hover
		c.call("textDocument/hover", at(rest), &h)
		if h == nil {
			return "nothing"
		}
		fmt.Fprintf(&b, "%s\n%s", span(*h.Range), c.shown(h.Contents.Value))
	case "complete":
		var l completionList
		c.call("textDocument/completion", at(rest), &l)
		for i, it := range l.Items {
			if i == 30 {
				fmt.Fprintf(&b, "... %d more\n", len(l.Items)-i)
				break
			}
			fmt.Fprintf(&b, "%s [%s %q] %s\n", it.Label, span(it.TextEdit.Range), it.TextEdit.NewText, it.Detail)
		}
	case "definition", "references":
		params := at(rest)
		params["context"] = map[string]any{"includeDeclaration": true}
		var l []location
		c.call("textDocument/"+verb, params, &l)
		for _, x := range l {
			fmt.Fprintf(&b, "%s %s\n", c.shown(x.URI), span(x.Range))
		}
	case "symbols":
		var l []documentSymbol
		c.call("textDocument/documentSymbol", map[string]any{"textDocument": doc}, &l)
		var show func(l []documentSymbol, indent string)
		show = func(l []documentSymbol, indent string) {
			for _, y := range l {
				fmt.Fprintf(&b, "%s%s (%s) %s\n", indent, y.Name, y.Detail, span(y.Range))
				show(y.Children, indent+"  ")
			}
		}
		show(l, "")
	case "find":
		var l []symbolInformation
		c.call("workspace/symbol", map[string]any{"query": name}, &l)
		for _, y := range l {
			fmt.Fprintf(&b, "%s %s %s\n", y.Name, c.shown(y.Location.URI), span(y.Location.Range))
		}
	case "folds":
		var l []foldingRange
		c.call("textDocument/foldingRange", map[string]any{"textDocument": doc}, &l)
		for _, f := range l {
			fmt.Fprintf(&b, "%d-%d\n", f.StartLine+1, f.EndLine+1)
		}
	case "tokens":
		var s semanticTokens
		c.call("textDocument/semanticTokens/full", map[string]any{"textDocument": doc}, &s)
		line, col := 0, 0
		legend := []string{"keyword", "property", "macro", "comment"}
		for i := 0; i+4 < len(s.Data); i += 5 {
			if s.Data[i] > 0 {
				col = 0
			}
			line, col = line+s.Data[i], col+s.Data[i+1]
			text := c.texts[path].Line(line)
			fmt.Fprintf(&b, "%d %s %q\n", line+1, legend[s.Data[i+3]], text[col:min(len(text), col+s.Data[i+2])])
		}
	case "lenses":
		c.settle()
		var l []codeLens
		c.call("textDocument/codeLens", map[string]any{"textDocument": doc}, &l)
		for _, x := range l {
			args, _ := json.Marshal(x.Command.Arguments)
			fmt.Fprintf(&b, "%d: %s (%s %s)\n", x.Range.Start.Line+1, x.Command.Title, x.Command.Command, c.shown(string(args)))
		}
	case "actions":
		c.settle()
		p := c.at(path, rest)
		var l []codeAction
		c.call("textDocument/codeAction", map[string]any{"textDocument": doc, "range": lspRange{p, p}, "context": map[string]any{"diagnostics": []any{}}}, &l)
		for _, a := range l {
			fmt.Fprintf(&b, "%s: %s\n", a.Kind, a.Title)
			if a.Command != nil {
				args, _ := json.Marshal(a.Command.Arguments)
				fmt.Fprintf(&b, "command %s %s\n", a.Command.Command, c.shown(string(args)))
			}
			c.show(&b, a.Edit)
		}
	case "act": // FILE NEEDLE => TITLE, as a person who chooses it
		needle, title, _ := strings.Cut(rest, " => ")
		c.settle()
		p := c.at(path, needle)
		var l []codeAction
		c.call("textDocument/codeAction", map[string]any{"textDocument": doc, "range": lspRange{p, p}, "context": map[string]any{"diagnostics": []any{}}}, &l)
		i := slices.IndexFunc(l, func(a codeAction) bool { return a.Title == title })
		if i < 0 {
			return "there is no such action"
		}
		if a := l[i]; a.Command != nil {
			var res struct{ Message string }
			c.call("workspace/executeCommand", map[string]any{"command": a.Command.Command, "arguments": a.Command.Arguments}, &res)
			fmt.Fprintf(&b, "%s\n", res.Message)
			b.WriteString(c.applied())
		} else {
			c.show(&b, a.Edit)
		}
		c.mu.Lock()
		now := maps.Clone(c.files)
		clear(c.files)
		c.mu.Unlock()
		for _, path := range slices.Sorted(maps.Keys(now)) {
			if text := c.texts[path]; text != nil {
				c.replace(path, 0, len(text.S), now[path])
			}
		}
	case "text":
		b.WriteString(c.texts[path].S)
	case "rename": // FILE NEW NEEDLE
		now, needle, _ := strings.Cut(rest, " ")
		params := at(needle)
		params["newName"] = now
		var e *workspaceEdit
		rsp, err := c.rpc.Call(c.t.Context(), "textDocument/rename", params)
		if err != nil {
			return err.Error()
		}
		if err := rsp.UnmarshalResult(&e); err != nil {
			c.t.Fatal(err)
		}
		c.show(&b, e)
	case "run": // COMMAND ARGUMENTS as JSON
		args := json.RawMessage("[" + strings.ReplaceAll(rest, "DIR", pathURI(c.dir)) + "]")
		rsp, err := c.rpc.Call(c.t.Context(), "workspace/executeCommand", map[string]any{"command": name, "arguments": args, "workDoneToken": "run"})
		if err != nil {
			return c.shown(err.Error())
		}
		var doc struct{ URI, Text, Message string }
		if err := rsp.UnmarshalResult(&doc); err != nil {
			c.t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s%s\n%s", c.shown(doc.URI), doc.Message, doc.Text)
		b.WriteString(c.applied())
	case "content":
		var res struct{ Text string }
		rsp, err := c.rpc.Call(c.t.Context(), "workspace/textDocumentContent", map[string]any{"uri": strings.ReplaceAll(name, "DIR", pathURI(c.dir))})
		if err != nil {
			return c.shown(err.Error())
		}
		if err := rsp.UnmarshalResult(&res); err != nil {
			c.t.Fatal(err)
		}
		lines := strings.SplitAfter(res.Text, "\n")
		fmt.Fprintf(&b, "%d lines\n%s", len(lines), strings.Join(lines[:min(5, len(lines))], ""))
	default:
		c.t.Fatalf("no such step: %q", step)
	}
	return b.String()
}

// applied shows the edits that the server had the client apply.
func (c *client) applied() string {
	c.t.Helper()
	c.mu.Lock()
	asked := c.asked
	c.asked = nil
	c.mu.Unlock()
	var b strings.Builder
	for _, a := range asked {
		if params, ok := strings.CutPrefix(a, "workspace/applyEdit "); ok {
			var p struct {
				Edit workspaceEdit `json:"edit"`
			}
			if err := json.Unmarshal([]byte(params), &p); err != nil {
				c.t.Error(err)
			}
			c.show(&b, &p.Edit)
		}
	}
	return b.String()
}

// cancelled asks for something, takes it back before it can be done, and returns
// the answer.
func (c *client) cancelled(method string, params any) string {
	c.t.Helper()
	answer, sent := make(chan string, 1), make(chan json.RawMessage, 1)
	c.mu.Lock()
	c.awaited, c.sent = "textDocument/"+method, sent
	c.mu.Unlock()
	go func() {
		rsp, err := c.rpc.Call(c.t.Context(), "textDocument/"+method, params)
		if err != nil {
			answer <- err.Error()
			return
		}
		answer <- rsp.ResultString()
	}()
	c.notify("$/cancelRequest", map[string]any{"id": <-sent})
	var res json.RawMessage
	c.call("workspace/symbol", map[string]any{"query": "\x00"}, &res) // the server has read both
	c.gate.Unlock()
	return <-answer
}
