//go:build unix

package hostile

import (
	"bytes"
	"compress/zlib"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"specgraft/cmd/specgraft/cli"
)

// A hostileRepo is a bare repository that is written byte by byte, as git would
// refuse to.
type hostileRepo struct {
	d   *hostileDir
	dir string
}

// repo makes an empty repository below rpms/.
func (d *hostileDir) repo(name string) *hostileRepo {
	r := &hostileRepo{d, "rpms/" + name + ".git/"}
	d.write(r.dir+"HEAD", "ref: refs/heads/f43\n")
	d.write(r.dir+"config", "[core]\n\trepositoryformatversion = 0\n\tbare = true\n")
	for _, sub := range []string{"objects/info", "objects/pack", "refs/heads"} {
		if err := os.MkdirAll(d.path(r.dir+sub), 0o755); err != nil {
			d.Fatal(err)
		}
	}
	return r
}

// object writes a loose object and returns its name.
func (r *hostileRepo) object(kind string, data []byte) string {
	r.d.Helper()
	all := append(fmt.Appendf(nil, "%s %d\x00", kind, len(data)), data...)
	sum := sha1.Sum(all)
	id := hex.EncodeToString(sum[:])
	r.loose(id, all)
	return id
}

// loose writes what may be no object under the name of one.
func (r *hostileRepo) loose(id string, all []byte) {
	r.d.Helper()
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	w.Write(all)
	w.Close()
	r.d.write(r.dir+"objects/"+id[:2]+"/"+id[2:], b.String())
}

// entry is an entry of a tree.
func hostileEntry(mode, name, id string) []byte {
	raw, _ := hex.DecodeString(id)
	return append(fmt.Appendf(nil, "%s %s\x00", mode, name), raw...)
}

func (r *hostileRepo) tree(entries ...[]byte) string {
	return r.object("tree", bytes.Join(entries, nil))
}

// commit puts a commit with a tree on the branch.
func (r *hostileRepo) commit(tree string, parents ...string) string {
	text := "tree " + tree + "\n"
	for _, p := range parents {
		text += "parent " + p + "\n"
	}
	return r.head(text + "author A <a@example.org> 1767225600 +0000\ncommitter A <a@example.org> 1767225600 +0000\n\nImport\n")
}

// head puts a commit of any text on the branch.
func (r *hostileRepo) head(text string) string {
	id := r.object("commit", []byte(text))
	r.d.write(r.dir+"refs/heads/f43", id+"\n")
	return id
}

// spec writes the blob of a spec and returns its tree entry.
func (r *hostileRepo) spec() []byte {
	return hostileEntry("100644", "boat.spec", r.object("blob", []byte(hostileSpec("boat", "")+"\n%changelog\n")))
}

// good makes a repository with nothing wrong in it.
func (r *hostileRepo) good(more ...[]byte) string {
	return r.commit(r.tree(append(more, r.spec())...))
}

// hostileUpstream is a project of a component from upstream, at an address with
// more keys, and one of its own that has nothing to do with it.
func hostileUpstream(d *hostileDir, address, more string) {
	d.write("azldev.toml", fmt.Sprintf(`[project]
default-distro = { name = "harbor", version = "1" }
rendered-specs-dir = "specs"
[distros.harbor.versions.1]
release-ver = "1"
[distros.fedora]
default-version = "43"
dist-git-base-uri = %q
lookaside-base-uri = "https://unused.invalid/$filename/$hashtype/$hash"
[distros.fedora.versions.43]
release-ver = "43"
dist-git-branch = "f43"
[components.good]
spec = { type = "local", path = "src/good.spec" }
[components.boat]
spec = { type = "upstream", upstream-distro = { name = "fedora" } }
%s`, address, more))
	d.write("src/good.spec", hostileSpec("good", ""))
}

// hostileGit makes a case of a repository that a function writes.
func hostileGit(name string, codes []int, write func(r *hostileRepo)) hostile {
	return hostile{
		name: name,
		prep: func(d *hostileDir) {
			hostileUpstream(d, "file://"+d.dir+"/rpms/$pkg.git", "")
			write(d.repo("boat"))
		},
		args:  []string{"render", "-a", "--json", "-C", "@"},
		codes: codes,
		after: goodIsRendered,
	}
}

// goodIsRendered holds that the failure of one component is not the other's,
// and that nobody was made to write evil.
func goodIsRendered(d *hostileDir, r *hostileRun) {
	if _, err := os.Stat(d.path("specs/g/good/good.spec")); err != nil {
		d.Errorf("the other component is not rendered: %v\n%s", err, r.stderr)
	}
	if _, err := os.Stat(d.path("evil")); err == nil {
		d.Error("evil was made")
	}
}

var (
	hostileFails = []int{cli.ExitProblems, cli.ExitEnv}
	hostileFine  = []int{cli.ExitOK}
)

// TestHostileTrees reads trees that no git would write.
func TestHostileTrees(t *testing.T) {
	blob := func(r *hostileRepo) string { return r.object("blob", []byte("x\n")) }
	var cases []hostile
	for _, name := range []string{"..", ".", "../../evil", "/evil", "a/b", ".git", ".GIT", "", "a\nb", "a\x1b[2Jb", "\xff", "a\u202eb", strings.Repeat("n", 5000), ".specgraft-1", "boat.spec"} {
		cases = append(cases, hostileGit(fmt.Sprintf("a file named %.20q", name), nil, func(r *hostileRepo) {
			r.good(hostileEntry("100644", name, blob(r)))
		}), hostileGit(fmt.Sprintf("a directory named %.20q", name), nil, func(r *hostileRepo) {
			r.good(hostileEntry("40000", name, r.tree(hostileEntry("100644", "evil", blob(r)))))
		}))
	}
	for _, target := range []string{"/etc/passwd", "../../../../etc/passwd", "link", "../boat/link", "a\x00b", ".git/config", strings.Repeat("../", 100_000), "\x1b[2J", ""} {
		cases = append(cases, hostileGit(fmt.Sprintf("a link to %.20q", target), nil, func(r *hostileRepo) {
			r.good(hostileEntry("120000", "link", r.object("blob", []byte(target))))
		}))
	}
	runHostile(t, append(cases,
		hostileGit("trees deep", nil, func(r *hostileRepo) {
			id := r.tree(hostileEntry("100644", "x", blob(r)))
			for range 2000 {
				id = r.tree(hostileEntry("40000", "d", id))
			}
			r.good(hostileEntry("40000", "d", id))
		}),
		hostileGit("trees that multiply", hostileFails, func(r *hostileRepo) {
			id := r.tree(hostileEntry("100644", "x", blob(r)))
			for range 12 {
				var all [][]byte
				for i := range 20 {
					all = append(all, hostileEntry("40000", fmt.Sprintf("d%02d", i), id))
				}
				id = r.tree(all...)
			}
			r.good(hostileEntry("40000", "d", id))
		}),
		hostileGit("a wide tree", nil, func(r *hostileRepo) {
			var all [][]byte
			id := blob(r)
			for i := range 100_000 {
				all = append(all, hostileEntry("100644", fmt.Sprintf("a%06d", i), id))
			}
			r.good(all...)
		}),
		hostileGit("links in a row", nil, func(r *hostileRepo) {
			var all [][]byte
			for i := range 1000 {
				all = append(all, hostileEntry("120000", fmt.Sprintf("a%04d", i), r.object("blob", fmt.Appendf(nil, "a%04d", i+1))))
			}
			r.good(all...)
		}),
		hostileGit("a module", hostileFine, func(r *hostileRepo) {
			r.good(hostileEntry("100644", ".gitmodules", r.object("blob", []byte("[submodule \"m\"]\n\tpath = m\n\turl = ext::sh -c touch% "+r.d.path("evil")+"\n\tupdate = !touch "+r.d.path("evil")+"\n"))),
				hostileEntry("160000", "m", strings.Repeat("ab", 20)))
		}),
		hostileGit("attributes", hostileFine, func(r *hostileRepo) {
			r.good(hostileEntry("100644", ".gitattributes", r.object("blob", []byte("* filter=evil diff=evil merge=evil ident export-subst text eol=crlf working-tree-encoding=UTF-16\n"))))
			r.d.write(r.dir+"config", "[core]\n\tbare = true\n[filter \"evil\"]\n\tsmudge = touch "+r.d.path("evil")+"\n\tprocess = touch "+r.d.path("evil")+"\n\trequired\n[diff \"evil\"]\n\ttextconv = touch "+r.d.path("evil")+"\n")
			r.d.write(r.dir+"info/attributes", "* filter=evil\n")
		}),
		hostileGit("modes", nil, func(r *hostileRepo) {
			r.good(hostileEntry("777777", "a", blob(r)), hostileEntry("-1", "b", blob(r)), hostileEntry("", "c", blob(r)), hostileEntry("104755", "d", blob(r)), hostileEntry("99999999999999999999", "e", blob(r)))
		}),
		hostileGit("a tree cut off", hostileFails, func(r *hostileRepo) { r.commit(r.object("tree", append(r.spec(), "100644 x\x00abc"...))) }),
		hostileGit("a tree that is a blob", hostileFails, func(r *hostileRepo) { r.commit(blob(r)) }),
		hostileGit("a file that is a tree", hostileFails, func(r *hostileRepo) { r.commit(r.tree(hostileEntry("100644", "boat.spec", r.tree()))) }),
		hostileGit("a spec that is a link", nil, func(r *hostileRepo) {
			r.commit(r.tree(hostileEntry("120000", "boat.spec", r.object("blob", []byte("/etc/passwd")))))
		}),
		hostileGit("a spec that is a directory", hostileFails, func(r *hostileRepo) { r.commit(r.tree(hostileEntry("40000", "boat.spec", r.tree()))) }),
		hostileGit("a spec of a gigabyte", hostileFails, func(r *hostileRepo) {
			r.commit(r.tree(hostileEntry("100644", "boat.spec", r.zeros(1<<30))))
		}),
		hostileGit("a source of a gigabyte", nil, func(r *hostileRepo) {
			r.good(hostileEntry("100644", "big", r.zeros(1<<30)))
		}),
		hostileGit("a sources file without sense", nil, func(r *hostileRepo) {
			var b strings.Builder
			for i := range 100_000 {
				fmt.Fprintf(&b, "SHA512 (../../%d) = %s\n", i, strings.Repeat("/", 128))
			}
			b.WriteString(strings.Repeat("x", 5<<20) + "\n\x00\x1b[2J (\n")
			r.good(hostileEntry("100644", "sources", r.object("blob", []byte(b.String()))))
		}),
	))
}

// zeros writes a blob of zeros, which takes a thousandth of its size.
func (r *hostileRepo) zeros(n int) string {
	r.d.Helper()
	head := fmt.Appendf(nil, "blob %d\x00", n)
	sum := sha1.New()
	var b bytes.Buffer
	w, _ := zlib.NewWriterLevel(&b, zlib.BestSpeed)
	sum.Write(head)
	w.Write(head)
	for zero := make([]byte, 1<<20); n > 0; n -= len(zero) {
		sum.Write(zero)
		w.Write(zero)
	}
	w.Close()
	id := hex.EncodeToString(sum.Sum(nil))
	r.d.write(r.dir+"objects/"+id[:2]+"/"+id[2:], b.String())
	return id
}

// TestHostileRepositories reads repositories that are not what they should be.
func TestHostileRepositories(t *testing.T) {
	config := func(name, text string) hostile {
		c := hostileGit("config "+name, hostileFine, func(r *hostileRepo) {
			r.good()
			evil := r.d.path("evil")
			r.d.write("evil.sh", "#!/bin/sh\ntouch "+evil+"\n")
			os.Chmod(r.d.path("evil.sh"), 0o755)
			r.d.write(r.dir+"hooks/post-checkout", "#!/bin/sh\ntouch "+evil+"\n")
			r.d.write(r.dir+"config", "[core]\n\trepositoryformatversion = 0\n\tbare = true\n"+strings.ReplaceAll(text, "EVIL", r.d.path("evil.sh")))
		})
		return c
	}
	file := func(name, file, text string, codes []int) hostile {
		return hostileGit(name, codes, func(r *hostileRepo) {
			r.good()
			r.d.write(r.dir+file, text)
		})
	}
	loose := func(name, all string) hostile {
		return hostileGit(name, hostileFails, func(r *hostileRepo) { r.loose(r.good(), []byte(all)) })
	}
	head := func(name, text string, codes []int) hostile {
		return hostileGit(name, codes, func(r *hostileRepo) {
			r.head(strings.ReplaceAll(text, "TREE", "tree "+r.tree(r.spec())))
		})
	}
	const who = "\nauthor A <a@example.org> 1767225600 +0000\ncommitter A <a@example.org> 1767225600 +0000\n"
	fifo := func(name, file string) hostile {
		return hostileGit(name, nil, func(r *hostileRepo) {
			r.good()
			os.Remove(r.d.path(r.dir + file))
			if err := syscall.Mkfifo(r.d.path(r.dir+file), 0o644); err != nil {
				r.d.Skip(err)
			}
		})
	}
	endless := func(name, file string) hostile {
		return hostileGit(name, nil, func(r *hostileRepo) {
			r.good()
			os.Remove(r.d.path(r.dir + file))
			if err := os.Symlink("/dev/zero", r.d.path(r.dir+file)); err != nil {
				r.d.Fatal(err)
			}
		})
	}
	runHostile(t, []hostile{
		// What would make git run something.
		config("fsmonitor", "[core]\n\tfsmonitor = EVIL\n"),
		config("ssh", "[core]\n\tsshCommand = EVIL\n\tgitProxy = EVIL\n\taskPass = EVIL\n"),
		config("pager", "[core]\n\tpager = EVIL\n\teditor = EVIL\n[pager]\n\tlog = EVIL\n\tcat-file = EVIL\n"),
		config("hooks", "[core]\n\thooksPath = hooks\n"),
		config("external", "[diff]\n\texternal = EVIL\n[interactive]\n\tdiffFilter = EVIL\n"),
		config("upload", "[uploadpack]\n\tpackObjectsHook = EVIL\n"),
		config("signatures", "[log]\n\tshowSignature = true\n[gpg]\n\tprogram = EVIL\n"),
		config("alternate refs", "[core]\n\talternateRefsCommand = EVIL\n"),
		config("a promisor", "[extensions]\n\tpartialClone = origin\n[remote \"origin\"]\n\turl = ext::EVIL\n\tpromisor = true\n[protocol \"ext\"]\n\tallow = always\n"),
		config("an alias", "[alias]\n\tcat-file = !EVIL\n\tlog = !EVIL\n\trev-list = !EVIL\n"),
		config("an include that is not there", "[include]\n\tpath = ../../loop\n\tpath = EVIL.none\n"),
		file("an include that is none", "config", "[core]\n\tbare = true\n[include]\n\tpath = /etc/passwd\n", nil),
		config("a work tree", "[core]\n\tworktree = /\n\tbare = false\n"),
		config("a credential", "[credential]\n\thelper = !EVIL\n"),
		config("no memory", "[core]\n\tpackedGitLimit = 1\n\tdeltaBaseCacheLimit = 99999g\n\tbigFileThreshold = 99999g\n"),
		// Files of the repository.
		file("a configuration that is none", "config", "\x00[[[", nil),
		file("a version to come", "config", "[core]\n\trepositoryformatversion = 99\n", nil),
		file("an unknown extension", "config", "[core]\n\trepositoryformatversion = 1\n[extensions]\n\tnonesuch = true\n", nil),
		file("alternates outside", "objects/info/alternates", "/\n/etc\n/proc/self/root\n", nil),
		file("alternates in a circle", "objects/info/alternates", ".\n../objects\n", nil),
		file("many alternates", "objects/info/alternates", strings.Repeat("/nowhere\n", 100_000), nil),
		file("a grafts file", "info/grafts", strings.Repeat("ab ", 100_000)+"\n", nil),
		file("a shallow file", "shallow", strings.Repeat("zz\n", 100_000), nil),
		file("a commit graph", "objects/info/commit-graph", "CGPH\x01\x01\xff\xff"+strings.Repeat("\xff", 1000), nil),
		file("an index without a pack", "objects/pack/pack-x.idx", "\xfftOc\x00\x00\x00\x02"+strings.Repeat("\xff", 2000), nil),
		file("an index of another version", "objects/pack/pack-x.idx", "\xfftOc\x00\x00\x00\x63"+strings.Repeat("\x00", 2000), nil),
		file("a pack without an index", "objects/pack/pack-x.pack", "PACK\x00\x00\x00\x02\xff\xff\xff\xff"+strings.Repeat("\xff", 2000), nil),
		file("packed refs", "packed-refs", strings.Repeat("abababababababababababababababababababab refs/heads/x\n", 200_000), nil),
		file("packed refs without sense", "packed-refs", strings.Repeat("^\x1b[2J refs/heads/../../x\n", 1000), nil),
		file("a long ref", "refs/heads/f43", strings.Repeat("a", 20<<20), hostileFails),
		file("a ref to itself", "refs/heads/f43", "ref: refs/heads/f43\n", hostileFails),
		file("a ref outside", "refs/heads/f43", "ref: ../../../../etc/passwd\n", hostileFails),
		file("a ref to nothing", "refs/heads/f43", strings.Repeat("ab", 20)+"\n", hostileFails),
		file("a HEAD that is long", "HEAD", strings.Repeat("ref: ", 1<<20), nil),
		fifo("a FIFO for a ref", "refs/heads/f43"), fifo("a FIFO for packed refs", "packed-refs"), fifo("a FIFO for a configuration", "config"), fifo("a FIFO for alternates", "objects/info/alternates"),
		endless("a ref without an end", "refs/heads/f43"), endless("packed refs without an end", "packed-refs"), endless("alternates without an end", "objects/info/alternates"),
		// Objects.
		loose("an object without a header", "xxxx"), loose("an object of no kind", "evil 5\x00abcde"), loose("an object of a negative size", "commit -1\x00abc"),
		loose("an object of a huge size", "commit 99999999999999999999\x00abc"), loose("an object that is longer", "commit 1\x00"+strings.Repeat("a", 1<<20)),
		loose("an object that is shorter", "commit 10000000\x00abc"), loose("an object of another name", "commit 3\x00abc"),
		hostileGit("an object that is no zlib", hostileFails, func(r *hostileRepo) {
			id := r.good()
			os.Remove(r.d.path(r.dir + "objects/" + id[:2] + "/" + id[2:]))
			r.d.write(r.dir+"objects/"+id[:2]+"/"+id[2:], "nonsense")
		}),
		hostileGit("an empty object", hostileFails, func(r *hostileRepo) {
			id := r.good()
			os.Remove(r.d.path(r.dir + "objects/" + id[:2] + "/" + id[2:]))
			r.d.write(r.dir+"objects/"+id[:2]+"/"+id[2:], "")
		}),
		hostileGit("a commit that is a bomb", hostileFails, func(r *hostileRepo) { r.loose(r.good(), append([]byte("commit 200\x00"), make([]byte, 300<<20)...)) }),
		// Commits.
		head("a commit without a tree", "author"+who, hostileFails),
		head("a commit of nothing", "", hostileFails),
		head("a tree of another name", "tree zzzz"+who, hostileFails),
		head("many parents", "TREE\n"+strings.Repeat("parent abababababababababababababababababababab\n", 100_000)+who[1:], nil),
		head("a parent that is a blob", "TREE\nparent e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"+who, nil),
		head("a long header", "TREE"+who+"gpgsig "+strings.Repeat("x", 20<<20)+"\n\nx\n", nil),
		head("a long message", "TREE"+who+"\n"+strings.Repeat("x\n", 10<<20), nil),
		head("a message for a terminal", "TREE"+who+"\n\x1b]0;owned\x07\u202e\x00\n", nil),
		head("dates that are none", "TREE\nauthor A <a> 99999999999999999999 +9999\ncommitter A <a> -99999999999999999999 -9999\n\nx\n", nil),
		head("names that are none", "TREE\nauthor <<<>>>\ncommitter\n\nx\n", nil),
		head("an encoding", "TREE"+who+"encoding \x1b\u202e../../x\n\nx\n", nil),
	})
}

// TestHostileAddresses takes packaging from where it should not be.
func TestHostileAddresses(t *testing.T) {
	var cases []hostile
	address := func(name, url, more string) {
		cases = append(cases, hostile{
			name: name,
			prep: func(d *hostileDir) {
				d.repo("boat").good()
				hostileUpstream(d, strings.ReplaceAll(url, "DIR", d.dir), more)
			},
			args:  []string{"render", "-a", "--json", "--network-retries", "1", "-C", "@"},
			codes: hostileFails,
			after: goodIsRendered,
		})
	}
	for _, url := range []string{
		"ext::sh -c touch% DIR/evil", "-oProxyCommand=touch DIR/evil", "ssh://-oProxyCommand=touch/x", "ssh://a@-oProxyCommand=touch/$pkg", "--upload-pack=touch DIR/evil",
		"fd::0", "file://elsewhere/x", "file:///proc/self/root/$pkg", "file:///dev/zero", "file:///dev/stdin", "https://[::1", "https://127.0.0.1:1/$pkg", "https://127.0.0.1:99999/$pkg",
		"https://user:se\u001bcret@127.0.0.1:1/$pkg", "git://127.0.0.1:1/$pkg", "ftp://127.0.0.1/$pkg", "", "$pkg", "\\\\host\\share", "file://DIR/rpms/../../../../../../etc/passwd",
		"file://DIR/nothing/" + strings.Repeat("a/", 10_000), "https://127.0.0.1:1/" + strings.Repeat("a", 1<<20),
	} {
		address(fmt.Sprintf("at %.24q", url), url, "")
	}
	for _, name := range []string{"../../../evil", "-u", "a b", "..", ".", "/etc", "a\x00b", "a\nb", "$(touch evil)", "%2e%2e%2f%2e%2e", strings.Repeat("a", 100_000), "boat.git/../../.."} {
		toml := strings.NewReplacer("\x00", `\u0000`, "\n", `\n`).Replace(name)
		address(fmt.Sprintf("upstream name %.20q", name), "file://DIR/nothing/$pkg.git", "[components.other]\nspec = { type = \"upstream\", upstream-name = \""+toml+"\", upstream-distro = { name = \"fedora\" } }\n")
	}
	for _, branch := range []string{"--upload-pack=touch evil", "-x", "../../../etc/passwd", "a..b", "@{-1}", "f43:refs/heads/x", "a b", "refs/heads/f43", "*", "a\\u0000b", "f43^{/x}", strings.Repeat("b", 100_000), "a.lock", "~", "HEAD"} {
		address(fmt.Sprintf("branch %.20q", branch), "file://DIR/nothing/$pkg.git", "[distros.fedora.versions.44]\nrelease-ver = \"44\"\ndist-git-branch = \""+branch+"\"\n[components.other]\nspec = { type = \"upstream\", upstream-name = \"boat\", upstream-distro = { name = \"fedora\", version = \"44\" } }\n")
	}
	for _, commit := range []string{"--all", "HEAD", "abc", "abababababababababababababababababababab", strings.Repeat("a", 64), ":/x", "f43^{/(a+)+$}", "../x", "f43~99999999999999999999", strings.Repeat("f", 100_000)} {
		address(fmt.Sprintf("commit %.20q", commit), "file://DIR/rpms/$pkg.git", "[components.other]\nspec = { type = \"upstream\", upstream-name = \"boat\", upstream-commit = \""+commit+"\", upstream-distro = { name = \"fedora\" } }\n")
		cases[len(cases)-1].after = nil // the configuration is refused
	}
	runHostile(t, cases)
}
