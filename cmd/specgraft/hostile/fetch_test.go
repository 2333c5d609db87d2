//go:build unix

package hostile

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"specgraft/cmd/specgraft/cli"
)

const hostileSource = "a boat\n"

// hostileDownload makes a project of a component with one source at a server.
func hostileDownload(d *hostileDir, url string) (digest string) {
	sum := sha512.Sum512([]byte(hostileSource))
	digest = hex.EncodeToString(sum[:])
	d.write("src/sources", "SHA512 (hull.txt) = "+digest+"\n")
	d.write("src/boat.spec", hostileSpec("boat", "Source0: hull.txt"))
	d.write("azldev.toml", fmt.Sprintf(`[project]
default-distro = { name = "harbor", version = "1" }
[distros.harbor]
lookaside-base-uri = "%s/$filename/$hashtype/$hash"
[distros.harbor.versions.1]
release-ver = "1"
[components.boat]
spec = { type = "local", path = "src/boat.spec" }
`, url))
	return digest
}

var hostilePrepare = []string{"prepare", "boat", "-o", "@/out", "--json", "--network-retries", "1", "--allow-http", "--skip-lock-validation", "-C", "@"}

// hostileServer makes a case of a server that answers as a function does.
func hostileServer(name string, codes []int, answer http.HandlerFunc) hostile {
	return hostile{
		name: name,
		prep: func(d *hostileDir) {
			s := httptest.NewServer(answer)
			s.Config.ErrorLog = nil
			d.Cleanup(func() { s.CloseClientConnections(); s.Close() })
			hostileDownload(d, s.URL)
		},
		args:  hostilePrepare,
		codes: codes,
		after: func(d *hostileDir, r *hostileRun) {
			_, err := os.Stat(d.path("out"))
			if whole := err == nil; whole != (r.code == cli.ExitOK) {
				d.Errorf("exit code %d and the directory: %v", r.code, err)
			}
		},
	}
}

// TestHostileServers downloads from servers that do not mean it well.
func TestHostileServers(t *testing.T) {
	say := func(code int, header, value, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if header != "" {
				w.Header().Set(header, value)
			}
			w.WriteHeader(code)
			io.WriteString(w, body)
		}
	}
	raw := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			c, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				return
			}
			io.WriteString(c, text)
			c.Close()
		}
	}
	runHostile(t, []hostile{
		hostileServer("nothing wrong", hostileFine, say(200, "", "", hostileSource)),
		hostileServer("other content", hostileFails, say(200, "", "", "a ship\n")),
		hostileServer("cut off", hostileFails, raw("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\na b")),
		hostileServer("more than it says", hostileFine, raw("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\na boat\nHTTP/1.1 200 OK\r\n\r\nand more")),
		hostileServer("a huge length", hostileFails, raw("HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\n\r\na boat\n")),
		hostileServer("a length that is none", hostileFails, raw("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\na boat\n")),
		hostileServer("no HTTP", hostileFails, raw("\x1b[2J\x00\xff")), hostileServer("nothing", hostileFails, raw("")),
		hostileServer("a status for a terminal", hostileFails, raw("HTTP/1.1 404 \x1b]0;owned\x07\u202e\r\n\r\n")),
		hostileServer("headers without an end", hostileFails, func(w http.ResponseWriter, r *http.Request) {
			c, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				return
			}
			defer c.Close()
			io.WriteString(c, "HTTP/1.1 200 OK\r\n")
			for range 100_000 {
				if _, err := io.WriteString(c, "X-A: "+strings.Repeat("a", 1000)+"\r\n"); err != nil {
					return
				}
			}
		}),
		hostileServer("a redirect in a circle", hostileFails, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path+"x", http.StatusFound) }),
		hostileServer("a redirect to a file", hostileFails, say(302, "Location", "file:///etc/passwd", "")),
		hostileServer("a redirect to another scheme", hostileFails, say(302, "Location", "gopher://127.0.0.1/x", "")),
		hostileServer("a redirect to nowhere", hostileFails, say(302, "Location", "http://[::1/\x1b[2J", "")),
		hostileServer("a redirect without a place", hostileFails, say(302, "", "", "")),
		hostileServer("an encoding", hostileFails, say(200, "Content-Encoding", "gzip", string(gzipOf(100, make([]byte, 1<<20))))),
		hostileServer("come back in a year", hostileFails, say(503, "Retry-After", "31536000", "")),
		hostileServer("a range that was not asked for", hostileFails, say(206, "Content-Range", "bytes 1-2/99999999999", "bo")),
		hostileServer("not found, at length", hostileFails, func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(404)
			for range 20_000 {
				if _, err := w.Write(make([]byte, 32<<10)); err != nil {
					return
				}
			}
		}),
		hostileServer("without an end", hostileFails, func(w http.ResponseWriter, r *http.Request) {
			for end := time.Now().Add(time.Second); time.Now().Before(end); {
				if _, err := w.Write(make([]byte, 1<<20)); err != nil {
					return
				}
			}
		}),
	})
}

// TestHostileCaches works with a cache in which somebody has been.
func TestHostileCaches(t *testing.T) {
	const cache = "home/.cache/specgraft/"
	good := say200(hostileSource)
	download := func(name string, codes []int, spoil func(d *hostileDir, digest string)) hostile {
		c := hostileServer(name, codes, good)
		prep := c.prep
		c.prep = func(d *hostileDir) {
			prep(d)
			sum := sha512.Sum512([]byte(hostileSource))
			spoil(d, hex.EncodeToString(sum[:]))
		}
		after := c.after
		c.after = func(d *hostileDir, r *hostileRun) {
			after(d, r)
			if got, err := os.ReadFile(d.path("out/hull.txt")); err == nil && string(got) != hostileSource {
				d.Errorf("the source is %q", got)
			}
			if got, err := os.ReadFile(d.path("victim")); err == nil && string(got) != "mine" {
				d.Errorf("the victim is %q", got)
			}
		}
		return c
	}
	place := func(digest string) string { return cache + "lookaside/sha512/" + digest[:2] + "/" + digest[2:] }
	link := func(d *hostileDir, target, at string) {
		if err := os.MkdirAll(filepath.Dir(d.path(at)), 0o755); err != nil {
			d.Fatal(err)
		}
		if err := os.Symlink(target, d.path(at)); err != nil {
			d.Fatal(err)
		}
	}
	fifo := func(d *hostileDir, at string) {
		if err := os.MkdirAll(filepath.Dir(d.path(at)), 0o755); err != nil {
			d.Fatal(err)
		}
		if err := syscall.Mkfifo(d.path(at), 0o644); err != nil {
			d.Skip(err)
		}
	}
	cases := []hostile{
		download("a source of other content", nil, func(d *hostileDir, digest string) { d.write(place(digest), "a ship\n") }),
		download("a source cut off", nil, func(d *hostileDir, digest string) { d.write(place(digest), "") }),
		download("a source that is a directory", nil, func(d *hostileDir, digest string) { d.write(place(digest)+"/x", "") }),
		download("a source that is a FIFO", nil, func(d *hostileDir, digest string) { fifo(d, place(digest)) }),
		download("a source that is a link", nil, func(d *hostileDir, digest string) {
			d.write("victim", "mine")
			link(d, d.path("victim"), place(digest))
		}),
		download("a source without an end", nil, func(d *hostileDir, digest string) { link(d, "/dev/zero", place(digest)) }),
		download("a part of other content", hostileFine, func(d *hostileDir, digest string) {
			d.write(cache+"lookaside/partial/sha512-"+digest, "xxxxxxxxxxxxxxxxxxxxxxx")
		}),
		download("a part that is a link", hostileFine, func(d *hostileDir, digest string) {
			d.write("victim", "mine")
			link(d, d.path("victim"), cache+"lookaside/partial/sha512-"+digest)
		}),
		download("a part that is a FIFO", nil, func(d *hostileDir, digest string) { fifo(d, cache+"lookaside/partial/sha512-"+digest) }),
		download("parts that are a file", hostileFails, func(d *hostileDir, digest string) { d.write(cache+"lookaside/partial", "") }),
		download("a cache that is a file", hostileFails, func(d *hostileDir, digest string) { d.write("home/.cache/specgraft", "") }),
		download("a cache that is a loop", hostileFails, func(d *hostileDir, digest string) { link(d, "specgraft", "home/.cache/specgraft") }),
	}
	// Whatever is in the cache, a render gives the same.
	spoil := func(name string, all func(d *hostileDir, path string)) hostile {
		c := hostileGit("render with "+name, nil, func(r *hostileRepo) { r.good() })
		prep := c.prep
		c.prep = func(d *hostileDir) {
			prep(d)
			if r := d.run([]string{"render", "-a", "-C", "@"}, hostileFine); r.code != cli.ExitOK {
				return
			}
			if err := os.RemoveAll(d.path("specs")); err != nil {
				d.Fatal(err)
			}
			n := 0
			err := filepath.WalkDir(d.path(cache), func(path string, e fs.DirEntry, err error) error {
				if err == nil && e.Type().IsRegular() {
					n++
					all(d, path)
				}
				return err
			})
			if err != nil || n == 0 {
				d.Fatalf("%d files: %v", n, err)
			}
		}
		c.after = func(d *hostileDir, r *hostileRun) {
			goodIsRendered(d, r)
			if text, err := os.ReadFile(d.path("specs/b/boat/boat.spec")); err != nil || !bytes.Contains(text, []byte("Name: boat")) {
				d.Errorf("boat is not rendered: %v\n%s\n%s", err, text, r.stderr)
			}
		}
		return c
	}
	write := func(d *hostileDir, path string, data []byte) {
		if err := os.Chmod(path, 0o644); err != nil {
			d.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			d.Fatal(err)
		}
	}
	runHostile(t, append(cases,
		spoil("empty files", func(d *hostileDir, path string) { write(d, path, nil) }),
		spoil("nonsense", func(d *hostileDir, path string) { write(d, path, bytes.Repeat([]byte("\x1b\xff\x00 \n"), 10_000)) }),
		spoil("files cut off", func(d *hostileDir, path string) {
			data, err := os.ReadFile(path)
			if err != nil {
				d.Fatal(err)
			}
			write(d, path, data[:len(data)*2/3])
		}),
		spoil("a bit turned", func(d *hostileDir, path string) {
			data, err := os.ReadFile(path)
			if err != nil {
				d.Fatal(err)
			}
			for i := 7; i < len(data); i += 50 {
				data[i] ^= 4
			}
			write(d, path, data)
		}),
		spoil("twice the content", func(d *hostileDir, path string) {
			data, err := os.ReadFile(path)
			if err != nil {
				d.Fatal(err)
			}
			write(d, path, append(data, data...))
		}),
		spoil("FIFOs", func(d *hostileDir, path string) {
			if err := os.Remove(path); err != nil {
				d.Fatal(err)
			}
			if err := syscall.Mkfifo(path, 0o644); err != nil {
				d.Skip(err)
			}
		}),
		spoil("devices", func(d *hostileDir, path string) {
			if err := os.Remove(path); err != nil {
				d.Fatal(err)
			}
			if err := os.Symlink("/dev/zero", path); err != nil {
				d.Fatal(err)
			}
		}),
		spoil("links to nothing", func(d *hostileDir, path string) {
			if err := os.Remove(path); err != nil {
				d.Fatal(err)
			}
			if err := os.Symlink("nothing", path); err != nil {
				d.Fatal(err)
			}
		}),
	))
}

func say200(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, text) }
}

// TestHostileOutputs renders into directories that somebody has prepared.
func TestHostileOutputs(t *testing.T) {
	output := func(name string, codes []int, prep func(d *hostileDir)) hostile {
		return hostile{
			name:  name,
			files: map[string]string{"azldev.toml": hostileProject("boat"), "src/boat.spec": hostileSpec("boat", ""), "victim/mine": "mine"},
			prep:  prep,
			args:  []string{"render", "-a", "--json", "-C", "@", "-o", "@/out"},
			codes: codes,
			after: func(d *hostileDir, r *hostileRun) {
				left, err := os.ReadDir(d.path("victim"))
				if text, rerr := os.ReadFile(d.path("victim/mine")); err != nil || rerr != nil || len(left) != 1 || string(text) != "mine" {
					d.Errorf("the victim holds %v: %q, %v", left, text, rerr)
				}
			},
		}
	}
	link := func(at, target string) func(d *hostileDir) {
		return func(d *hostileDir) {
			if err := os.MkdirAll(filepath.Dir(d.path(at)), 0o755); err != nil {
				d.Fatal(err)
			}
			if err := os.Symlink(target, d.path(at)); err != nil {
				d.Fatal(err)
			}
		}
	}
	lock := func(name, text string) hostile {
		c := output("a lock "+name, nil, func(d *hostileDir) { d.write("locks/boat.lock", text) })
		c.args = []string{"update", "-a", "--json", "-C", "@"}
		return c
	}
	special := func(name, at string) hostile {
		c := output("a FIFO for "+name, nil, func(d *hostileDir) {
			if err := os.MkdirAll(filepath.Dir(d.path(at)), 0o755); err != nil {
				d.Fatal(err)
			}
			if err := syscall.Mkfifo(d.path(at), 0o644); err != nil {
				d.Skip(err)
			}
		})
		if strings.HasPrefix(at, "locks") {
			c.args = []string{"update", "-a", "--json", "-C", "@"}
		}
		return c
	}
	loop := link("locks", "locks")
	looped := output("locks that are a loop", nil, loop)
	looped.args = []string{"update", "-a", "--json", "-C", "@"}
	locked := output("locks that lead outside", nil, link("locks", "victim"))
	locked.args = []string{"update", "-a", "--json", "-C", "@"}
	locked.after = nil // a directory of one's own may be anywhere
	runHostile(t, []hostile{
		output("the tree is a link to nothing", nil, link("out", "nothing")), output("the tree is a loop", hostileFails, link("out", "out")), output("the tree is a file", hostileFails, func(d *hostileDir) { d.write("out", "") }),
		output("the letter is a link", hostileFails, link("out/b", "../victim")), output("the letter is a file", hostileFails, func(d *hostileDir) { d.write("out/b", "") }),
		output("the component is a link", hostileFails, link("out/b/boat", "../../victim")), output("the component is a file", hostileFails, func(d *hostileDir) { d.write("out/b/boat", "") }),
		output("the spec is a link", nil, link("out/b/boat/boat.spec", "../../../victim/mine")), output("the spec is a directory", nil, func(d *hostileDir) { d.write("out/b/boat/boat.spec/x", "") }),
		output("a file of its own is a link", nil, link("out/b/boat/x", "../../../victim")), output("a leftover is a link", hostileFine, link("out/b/.specgraft-1", "../../victim")),
		output("an old component is a link", nil, link("out/b/.specgraft-old-boat", "../../victim")), output("the tree holds everything", hostileFails, func(d *hostileDir) { d.write("out/important/thesis", "") }),
		special("the spec", "out/b/boat/boat.spec"), special("a leftover", "out/b/.specgraft-1"), special("the component", "out/b/boat"), special("a lock", "locks/boat.lock"),
		looped, locked,
		lock("deep", "a = "+strings.Repeat("[", 100_000)), lock("long", strings.Repeat("# x\n", 5<<20)), lock("of a version to come", "version = 99\n"), lock("without sense", "\x00\xff\x1b[2J"),
		lock("of other types", "version = \"x\"\nupstream-commit = 7\ninput-fingerprint = []\n"), lock("with a commit outside", "version = 1\nupstream-commit = '../../../etc/passwd'\n"), lock("with conflict marks", "<<<<<<< a\nversion = 1\n=======\n>>>>>>> b\n"),
	})
}

// hostilePackages makes a case of a component from a source package, whose bytes
// a function makes.
func hostilePackages(name string, data []byte) hostile {
	return hostile{
		name: name,
		prep: func(d *hostileDir) {
			hostileUpstream(d, "https://unused.invalid/$pkg", "[components.raft]\nspec = { type = \"upstream\", source = \"srpm\", srpm = \"raft.src.rpm\", upstream-distro = { name = \"fedora\" } }\n")
			text, err := os.ReadFile(d.path("azldev.toml"))
			if err != nil {
				d.Fatal(err)
			}
			d.write("azldev.toml", strings.Replace(string(text), "[components.boat]\nspec = { type = \"upstream\", upstream-distro = { name = \"fedora\" } }\n", "", 1))
			d.write("raft.src.rpm", string(data))
			d.run([]string{"srpm", "show", "@/raft.src.rpm", "--json"}, hostileFails)
		},
		args:  []string{"render", "-a", "--json", "--skip-lock-validation", "-C", "@"},
		codes: hostileFails,
		after: goodIsRendered,
	}
}

// TestHostilePackages reads source packages and repositories of them.
func TestHostilePackages(t *testing.T) {
	lead := "\xed\xab\xee\xdb\x03\x00\x00\x01" + strings.Repeat("\x00", 70) + "\x00\x05" + strings.Repeat("\x00", 16)
	header := func(n, size uint32, rest string) string {
		return "\x8e\xad\xe8\x01\x00\x00\x00\x00" + string([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n), byte(size >> 24), byte(size >> 16), byte(size >> 8), byte(size)}) + rest
	}
	cases := []hostile{
		hostilePackages("empty", nil), hostilePackages("a lead", []byte(lead)), hostilePackages("nonsense", bytes.Repeat([]byte("nonsense"), 10_000)),
		hostilePackages("a header of all memory", []byte(lead+header(0xffffffff, 0xffffffff, "xxxx"))), hostilePackages("many entries", []byte(lead+header(0x0fffffff, 16, "xxxx"))),
		hostilePackages("a large store", []byte(lead+header(1, 0x7fffffff, strings.Repeat("x", 100)))), hostilePackages("entries outside", []byte(lead+header(2, 8, strings.Repeat("\x00\x00\x03\xe8\x00\x00\x00\x06\x7f\xff\xff\xff\x7f\xff\xff\xff", 2)+"12345678"))),
		hostilePackages("entries before", []byte(lead+header(1, 8, "\x00\x00\x03\xe8\x00\x00\x00\x08\xff\xff\xff\xff\xff\xff\xff\xff"+"12345678"))),
		hostilePackages("headers without a payload", []byte(lead+header(0, 0, "")+header(0, 0, ""))), hostilePackages("a payload of cpio", []byte(lead+header(0, 0, "")+header(0, 0, "")+"07070100000000"+strings.Repeat("f", 100))),
		hostilePackages("a payload of gzip", append([]byte(lead+header(0, 0, "")+header(0, 0, "")), gzipOf(64, make([]byte, 16<<20))...)),
	}
	const at = "/repodata/primary.xml"
	sum := func(text string) string { h := sha256.Sum256([]byte(text)); return hex.EncodeToString(h[:]) }
	index := func(path, text string) string {
		return `<repomd><data type="primary"><checksum type="sha256">` + sum(text) + `</checksum><location href="` + path + `"/></data></repomd>`
	}
	repo := func(name, repomd, primary string) hostile {
		c := hostilePackages("metadata: "+name, nil)
		c.prep = func(d *hostileDir) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch {
				case strings.HasSuffix(r.URL.Path, "/repomd.xml"):
					io.WriteString(w, repomd)
				default:
					io.WriteString(w, primary)
				}
			}))
			d.Cleanup(s.Close)
			hostileUpstream(d, "https://unused.invalid/$pkg", "")
			text, err := os.ReadFile(d.path("azldev.toml"))
			if err != nil {
				d.Fatal(err)
			}
			d.write("azldev.toml", strings.NewReplacer("spec = { type = \"upstream\", upstream", "spec = { type = \"upstream\", source = \"srpm\", upstream",
				"[distros.fedora.versions.43]\n", "repos = [{ base-uri = \""+s.URL+"\" }]\n[distros.fedora.versions.43]\n").Replace(string(text)))
		}
		c.args = append(c.args, "--allow-http", "--network-retries", "0")
		return c
	}
	pkg := func(name, href string) string {
		return `<package type="rpm"><name>` + name + `</name><arch>src</arch><version epoch="0" ver="1" rel="1"/><checksum type="sha256">` + strings.Repeat("0", 64) + `</checksum><location href="` + href + `"/></package>`
	}
	good := func(primary string) (string, string) { return index(at[1:], primary), primary }
	with := func(name, primary string) hostile { m, p := good(primary); return repo(name, m, p) }
	runHostile(t, append(cases,
		repo("empty", "", ""), repo("nonsense", "\x00\xff\x1b[2J", ""), repo("deep", strings.Repeat("<a>", 300_000), ""),
		repo("entities", `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><repomd>&c;</repomd>`, ""),
		repo("an entity outside", `<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><repomd><data type="primary"><location href="&a;"/></data></repomd>`, ""),
		repo("a place outside", index("../../../../etc/passwd", ""), ""), repo("a place elsewhere", index("https://127.0.0.1:1/x", ""), ""),
		repo("another checksum", index(at[1:], "something else"), "<metadata/>"),
		with("a package outside", "<metadata>"+pkg("boat", "../../../etc/passwd")+"</metadata>"), with("a package for a terminal", "<metadata>"+pkg("\u202eboat&#x1b;", "x")+"</metadata>"),
		with("packages deep", strings.Repeat("<package>", 300_000)), with("a package in itself", "<metadata>"+strings.Repeat(`<package type="rpm"><name>a</name>`, 50_000)),
		with("a long name", "<metadata>"+pkg(strings.Repeat("a", 20<<20), "x")+"</metadata>"), with("attributes", "<metadata "+strings.Repeat(`a="b" `, 500_000)+"/>"),
		with("a comment", "<!--"+strings.Repeat("x", 30<<20)), with("not closed", "<metadata>"+pkg("boat", "b/boat.src.rpm")),
	))
}
