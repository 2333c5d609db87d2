package lsp

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"specgraft/fedora"
)

// TestMain lets the test program be the server that Neovim starts.
func TestMain(m *testing.M) {
	if cache := os.Getenv("SPECGRAFT_TEST_LSP"); cache != "" {
		store, err := fedora.Open(fedora.Options{CacheDir: cache, Offline: true})
		if err == nil {
			err = Serve(context.Background(), os.Stdin, os.Stdout, optionsOf(store, cache))
			store.Close()
		}
		if err != nil {
			os.Exit(3)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// script drives Neovim's own client. It writes what it was told to a file, one
// line for each question.
const script = `
local out = assert(io.open(os.getenv("OUT"), "w"))
local function say(what, text) out:write(what .. ": " .. tostring(text):gsub("\n", " ") .. "\n"); out:flush() end
local function main()
  local file = os.getenv("FILE")
  vim.cmd("edit " .. vim.fn.fnameescape(file))
  local buf = vim.api.nvim_get_current_buf()
  local id = vim.lsp.start_client({ name = "specgraft", cmd = { os.getenv("SERVER") }, root_dir = os.getenv("ROOT") })
  assert(id, "the server does not start")
  vim.lsp.buf_attach_client(buf, id)
  local client
  assert(vim.wait(20000, function() client = vim.lsp.get_client_by_id(id); return client and client.initialized end, 20), "not initialized")
  say("encoding", client.offset_encoding)
  assert(vim.wait(20000, function() return #vim.diagnostic.get(buf) >= 3 end, 20), "no diagnostics")
  local d = vim.diagnostic.get(buf)[1]
  say("diagnostic", d.lnum + 1 .. " " .. (d.code or d.user_data.lsp.code) .. " " .. d.message)
  local function ask(method, line, col, more)
    local params = { textDocument = { uri = vim.uri_from_bufnr(buf) }, position = { line = line - 1, character = col } }
    for k, v in pairs(more or {}) do params[k] = v end
    local res = client.request_sync(method, params, 20000, buf)
    assert(res and not res.err, method .. " fails: " .. vim.inspect(res))
    return res.result
  end
  local h = ask("textDocument/hover", 4, 12)
  say("hover", table.concat(vim.lsp.util.convert_input_to_markdown_lines(h.contents), " "))
  say("definition", ask("textDocument/definition", 4, 12)[1].uri)
  vim.api.nvim_buf_set_lines(buf, 3, 4, false, { 'type = "spec-ad-tag"' })
  local labels = {}
  for _, item in ipairs(vim.lsp.util.extract_completion_items(ask("textDocument/completion", 4, 15))) do table.insert(labels, item.label) end
  say("completion", table.concat(labels, " "))
  assert(vim.wait(20000, function()
    for _, x in ipairs(vim.diagnostic.get(buf)) do if x.message:find("unknown overlay type") then return true end end
  end, 20), "the change has no diagnostic")
  local actions = ask("textDocument/codeAction", 4, 10, { range = { start = { line = 3, character = 10 }, ["end"] = { line = 3, character = 10 } }, context = { diagnostics = {} } })
  say("action", actions[1].title)
  vim.lsp.util.apply_workspace_edit(actions[1].edit, client.offset_encoding)
  say("line", vim.api.nvim_buf_get_lines(buf, 3, 4, false)[1])
  client.stop()
  say("stopped", vim.wait(20000, function() return client.is_stopped() end, 20))
end
local ok, err = pcall(main)
if not ok then say("error", err) end
out:close()
vim.cmd("qall!")
`

// TestNeovim has Neovim, an editor that many use, read diagnostics, hover,
// definition, completion and a code action through its own client.
func TestNeovim(t *testing.T) {
	t.Parallel()
	nvim, err := exec.LookPath("nvim")
	if err != nil {
		t.Skip("nvim is not installed: no real editor tries the server")
	}
	dir, cache := example(t)
	tmp := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(tmp, name)
		if err := os.WriteFile(path, []byte(text), 0o777); err != nil {
			t.Fatal(err)
		}
		return path
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(tmp, "out")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, nvim, "--headless", "--clean", "-n", "-c", "luafile "+file("script.lua", script))
	cmd.Env = append(os.Environ(), "OUT="+out, "ROOT="+dir, "SERVER="+self, "SPECGRAFT_TEST_LSP="+cache, "HOME="+tmp, "XDG_STATE_HOME="+tmp,
		"FILE="+filepath.Join(dir, "components", "hello-harbor", "hello-harbor.comp.toml"))
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		t.Fatalf("nvim: %v\n%s", err, said.String())
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatalf("%v\n%s", err, said.String())
	}
	got := string(b)
	for _, want := range []string{
		"diagnostic: 27 lint/no-description spec-insert-tag does not say why it is there",
		"hover: **spec-add-tag**: add a tag",
		"+BuildRequires: pkgconfig(cairo)",
		"definition: " + pathURI(filepath.Join(dir, "specs", "h", "hello-harbor", "hello-harbor.spec")),
		"completion: spec-add-tag",
		"action: change to \"spec-add-tag\"",
		"line: type = \"spec-add-tag\"",
		"stopped: true",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s\n%s", want, got, said.String())
		}
	}
}
