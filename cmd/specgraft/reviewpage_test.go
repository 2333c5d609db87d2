package main

import (
	"bytes"
	"context"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// probe exercises the page as its user does and writes what it saw to the end of
// the document.
const probe = `<script>
(function () {
  const seen = [];
  const say = (name, value) => seen.push(name + "=" + value);
  const all = () => Array.from(document.querySelectorAll("details.c"));
  const shown = () => all().filter(d => !d.hidden).map(d => d.dataset.name).join(",");
  const set = (id, value) => { const e = document.getElementById(id); e.value = value; e.dispatchEvent(new Event("input", { bubbles: true })); };
  const key = k => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: k, bubbles: true, cancelable: true }));
  say("filters", !document.querySelector(".filters").hidden);
  say("all", shown());
  set("f-text", "pango"); say("text", shown());
  set("f-text", "no such thing"); say("none", shown() + "/" + !document.getElementById("f-none").hidden);
  document.getElementById("f-clear").click(); say("cleared", shown());
  set("f-class", "section"); say("class", shown()); set("f-class", "");
  set("f-kind", "down"); say("kind", shown()); set("f-kind", "");
  set("f-group", "tests-need-network"); say("group", shown()); set("f-group", "");
  key("j"); say("j", document.activeElement.parentElement.dataset.name);
  key("j"); say("jj", document.activeElement.parentElement.dataset.name);
  key("k"); say("k", document.activeElement.parentElement.dataset.name);
  const was = document.activeElement.parentElement.open; key("o"); say("o", document.activeElement.parentElement.open !== was);
  key("e"); say("e", all().every(d => d.open)); key("e"); say("ee", all().every(d => !d.open));
  key("/"); say("slash", document.activeElement.id);
  say("hostile", window.hostile === undefined);
  say("scripts", document.scripts.length);
  say("images", document.images.length);
  const p = document.createElement("pre"); p.id = "seen"; p.textContent = seen.join("\n"); document.body.appendChild(p);
})();
</script>
</body>`

// TestReviewPage opens a report in a real browser.
func TestReviewPage(t *testing.T) {
	t.Parallel()
	browser, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("NOT CHECKED: no chromium, so the page of a report was not opened in a browser")
	}
	if testing.Short() {
		t.Skip("NOT CHECKED in short mode: the page of a report in a browser")
	}
	dir, out := exampleChange(t), t.TempDir()
	specgraftIn(t, dir, "review", "--from", "HEAD", "-o", out)
	page, err := os.ReadFile(filepath.Join(out, "review.html"))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(out, "probe.html")
	if err := os.WriteFile(file, bytes.Replace(page, []byte("</body>"), []byte(probe), 1), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--user-data-dir="+t.TempDir(), "--enable-logging=stderr", "--dump-dom", "file://"+file)
	var dom, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &dom, &log
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Run(); err != nil {
		t.Skipf("NOT CHECKED: the browser does not run here: %v\n%.1000s", err, log.String())
	}
	if i := strings.Index(log.String(), "CONSOLE"); i >= 0 {
		t.Errorf("the console has messages: %.500s", log.String()[i:])
	}
	m := regexp.MustCompile(`(?s)<pre id="seen">(.*?)</pre>`).FindStringSubmatch(dom.String())
	if m == nil {
		t.Fatalf("the page's script did not run to its end:\n%.2000s", log.String())
	}
	got := html.UnescapeString(m[1])
	for _, line := range []string{"filters=true", "text=hello-harbor", "none=/true", "class=moorings", "kind=moorings", "group=hello-harbor", "j=moorings", "jj=lighthouse", "k=moorings", "o=true", "e=true", "ee=true", "slash=f-text", "hostile=true", "scripts=2", "images=0"} {
		if !strings.Contains("\n"+got+"\n", "\n"+line+"\n") {
			t.Errorf("the page does not give %q:\n%s", line, got)
		}
	}
}
