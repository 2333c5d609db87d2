package distgit

import (
	"bytes"
	"crypto/sha1"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/klauspost/compress/zlib"

	"specgraft/fedora/distgit/gittest"
	"specgraft/overlay/diag"
)

// batchAll returns all objects of a repository as git prints them: kind and
// content by name.
func batchAll(t testing.TB, r *gittest.Repo) map[string]string {
	t.Helper()
	out := r.Git("cat-file", "--batch-all-objects", "--unordered", "--batch") + "\n"
	all := map[string]string{}
	for out != "" {
		head, rest, _ := strings.Cut(out, "\n")
		f := strings.Fields(head)
		if len(f) != 3 {
			break
		}
		n, _ := strconv.Atoi(f[2])
		all[f[0]] = f[1] + " " + rest[:n]
		out = rest[n+1:]
	}
	return all
}

// TestObjectsMatchGit reads every object of repositories in all the ways that
// git stores them, and compares with what git reads.
func TestObjectsMatchGit(t *testing.T) {
	t.Parallel()
	tests := map[string]func(r *gittest.Repo){
		"loose and one pack": func(*gittest.Repo) {},
		"deep chains":        func(r *gittest.Repo) { r.Git("repack", "-adfq", "--depth=200", "--window=50") },
		"reference deltas": func(r *gittest.Repo) {
			r.Git("-c", "repack.useDeltaBaseOffset=false", "repack", "-adfq", "--depth=50")
		},
		"unpacked": func(r *gittest.Repo) {
			packs, _ := filepath.Glob(filepath.Join(r.Dir, "objects/pack/*.pack"))
			for _, p := range packs {
				data, err := os.ReadFile(p)
				if err != nil {
					t.Fatal(err)
				}
				for _, f := range []string{p, strings.TrimSuffix(p, ".pack") + ".idx"} {
					os.Chmod(f, 0o600)
					os.Remove(f)
				}
				gittest.Run(t, r.Dir, string(data), "unpack-objects", "-q")
			}
		},
	}
	for name, arrange := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := gittest.New(t, filepath.Join(t.TempDir(), "r.git"))
			gittest.RandomHistory(r, rand.New(rand.NewPCG(1, 2)), 80, true)
			lines := strings.Split(gittest.Noise(9, 40_000), "")
			for i := range 40 { // a file that changes a little each time
				lines[i*7] = "x"
				r.Commit("big", 1_700_000_000+i, nil, gittest.File{Path: "big", Content: strings.Join(lines, "")}, gittest.File{Path: "run", Mode: "100755", Content: fmt.Sprint(i)})
				r.Flush()
			}
			r.Commit("huge", 1_700_000_000, nil, gittest.File{Path: "huge", Content: gittest.Noise(3, 3<<20)})
			r.Flush()
			r.Git("tag", "-a", "-m", "tag", "v1", "f43")
			r.Git("tag", "-a", "-m", "tag of a tag", "v2", "v1")
			r.Blob("loose")
			arrange(r)
			want := batchAll(t, r)
			if len(want) < 200 {
				t.Fatalf("only %d objects", len(want))
			}
			at, _ := FindDir(r.Dir)
			s, err := openObjects(at)
			if err != nil {
				t.Fatal(err)
			}
			defer s.close()
			for id, text := range want {
				o, body, err := s.open(id)
				if err != nil {
					t.Fatalf("%s: %v", id, err)
				}
				data, err := io.ReadAll(body)
				if got := o.kind + " " + string(data); err != nil || got != text || o.size != int64(len(data)) || o.id != id {
					t.Fatalf("%s: %v, %+v, %d bytes, want %d", id, err, o, len(got), len(text))
				}
			}
			if o, _, err := s.open(idA); err != nil || !o.missing {
				t.Errorf("an object that is not there: %+v, %v", o, err)
			}
			// Through a Repo, without a process.
			g := &Git{Path: filepath.Join(r.Dir, "no", "git")}
			repo, ok := NewPool(t.Context(), g).Open(r.Dir)
			if !ok {
				t.Fatal("not a repository")
			}
			defer repo.Close()
			tag, err := repo.RevParse(r.Git("rev-parse", "v2"))
			if err != nil || tag != r.Git("rev-parse", "v2^{commit}") {
				t.Errorf("a tag of a tag: %q, %v", tag, err)
			}
			if data, err := repo.ReadFile(tag, "locks/1.lock"); err != nil && !strings.Contains(err.Error(), "not there") || err == nil && string(data)+"\n" != r.Git("show", tag+":locks/1.lock")+"\n" {
				t.Errorf("a file by its path: %q, %v", data, err)
			}
		})
	}
}

// TestForeignObjects holds that git is asked where objects are kept in a way
// that is not read here.
func TestForeignObjects(t *testing.T) {
	t.Parallel()
	tests := map[string]func(r *gittest.Repo){
		"alternates": func(r *gittest.Repo) {
			other := filepath.Join(filepath.Dir(r.Dir), "other.git")
			gittest.Run(t, filepath.Dir(r.Dir), "", "clone", "-q", "--bare", "--shared", r.Dir, other)
			r.Dir = other
		},
		"multi-pack index": func(r *gittest.Repo) { r.Git("repack", "-adq"); r.Git("multi-pack-index", "write") },
		"extensions": func(r *gittest.Repo) {
			r.Git("config", "core.repositoryformatversion", "1")
			r.Git("config", "extensions.noop", "true")
		},
	}
	for name, arrange := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := gittest.New(t, filepath.Join(t.TempDir(), "r.git"))
			m := r.Commit("f43", 1, nil, gittest.File{Path: "pkg.spec", Content: "x"})
			id := r.Flush()[m]
			arrange(r)
			at, _ := FindDir(r.Dir)
			if _, err := openObjects(at); !errors.Is(err, errForeign) {
				t.Errorf("opened, %v", err)
			}
			repo, err := OpenWorktree(t.Context(), r.Dir)
			if err != nil {
				t.Fatal(err)
			}
			defer repo.Close()
			if data, err := repo.ReadFile(id, "pkg.spec"); err != nil || string(data) != "x" {
				t.Errorf("read %q, %v", data, err)
			}
		})
	}
}

// TestRepacked reads on while somebody else repacks the repository.
func TestRepacked(t *testing.T) {
	t.Parallel()
	r := gittest.New(t, filepath.Join(t.TempDir(), "r.git"))
	var ids []string
	for i := range 10 {
		r.Commit("f43", i+1, nil, gittest.File{Path: "a", Content: fmt.Sprint(i)})
		ids = append(ids, r.Flush()[r.Mark])
		r.Git("update-ref", fmt.Sprintf("refs/keep/%d", i), ids[i])
	}
	repo, err := OpenWorktree(t.Context(), r.Dir)
	if err != nil {
		t.Fatal(err)
	}
	defer repo.Close()
	if _, err := repo.Commit(ids[0]); err != nil {
		t.Fatal(err)
	}
	r.Git("repack", "-adfq")
	r.Commit("f43", 100, nil, gittest.File{Path: "a", Content: "new"})
	ids = append(ids, r.Flush()[r.Mark])
	for _, id := range ids {
		if _, err := repo.ReadFile(id, "a"); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
}

// A packed is an object of a pack that a test writes.
type packed struct {
	id      string // "" for the right one
	kind    int
	data    []byte // or delta
	size    int64  // declared, -1 for the right one
	back    int64  // of an offset delta
	ref     string // of a reference delta
	offset  int64  // for the index, 0 for the right one
	badCRC  bool
	badZlib bool
}

func obj(kind int, data string) packed { return packed{kind: kind, data: []byte(data), size: -1} }

// writePack writes a pack with its index and returns the names of its objects.
func writePack(t testing.TB, dir string, objects ...packed) []string {
	t.Helper()
	var pack bytes.Buffer
	pack.WriteString("PACK\x00\x00\x00\x02")
	binary.Write(&pack, binary.BigEndian, uint32(len(objects)))
	type row struct {
		id  []byte
		crc uint32
		off int64
	}
	var rows []row
	var names []string
	for _, o := range objects {
		off := int64(pack.Len())
		size := o.size
		if size < 0 {
			size = int64(len(o.data))
		}
		c := byte(o.kind<<4) | byte(size&15)
		for rest := size >> 4; ; rest >>= 7 {
			if rest == 0 {
				pack.WriteByte(c)
				break
			}
			pack.WriteByte(c | 0x80)
			c = byte(rest & 0x7f)
		}
		switch o.kind {
		case packOfsDelta:
			back := o.back
			enc := []byte{byte(back & 0x7f)}
			for back >>= 7; back > 0; back >>= 7 {
				back--
				enc = append(enc, byte(back&0x7f)|0x80)
			}
			slices.Reverse(enc)
			pack.Write(enc)
		case packRefDelta:
			raw, _ := hex.DecodeString(o.ref)
			pack.Write(raw)
		}
		if o.badZlib {
			pack.WriteString("this is no zlib stream")
		} else {
			z := zlib.NewWriter(&pack)
			z.Write(o.data)
			z.Close()
		}
		crc := crc32.ChecksumIEEE(pack.Bytes()[off:])
		if o.badCRC {
			crc++
		}
		id := o.id
		if id == "" {
			id = nameOf(packKinds[min(o.kind, packTag)], o.data)
		}
		if o.offset != 0 {
			off = o.offset
		}
		raw, _ := hex.DecodeString(id)
		rows = append(rows, row{raw, crc, off})
		names = append(names, id)
	}
	sum := sha1.Sum(pack.Bytes())
	pack.Write(sum[:])
	slices.SortFunc(rows, func(a, b row) int { return bytes.Compare(a.id, b.id) })
	var idx bytes.Buffer
	idx.WriteString("\xfftOc\x00\x00\x00\x02")
	n := 0
	for b := range 256 {
		for n < len(rows) && int(rows[n].id[0]) <= b {
			n++
		}
		binary.Write(&idx, binary.BigEndian, uint32(n))
	}
	for _, r := range rows {
		idx.Write(r.id)
	}
	for _, r := range rows {
		binary.Write(&idx, binary.BigEndian, r.crc)
	}
	var large []int64
	for _, r := range rows {
		if r.off >= 1<<31 || r.off < 0 {
			binary.Write(&idx, binary.BigEndian, uint32(1<<31|len(large)))
			large = append(large, r.off)
		} else {
			binary.Write(&idx, binary.BigEndian, uint32(r.off))
		}
	}
	binary.Write(&idx, binary.BigEndian, large)
	idx.Write(sum[:])
	own := sha1.Sum(idx.Bytes())
	idx.Write(own[:])
	base := filepath.Join(dir, "objects", "pack", "pack-"+hex.EncodeToString(sum[:]))
	for suffix, b := range map[string]*bytes.Buffer{".pack": &pack, ".idx": &idx} {
		if err := os.WriteFile(base+suffix, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return names
}

// emptyRepository makes what is a repository for us, without git.
func emptyRepository(t testing.TB, dir string) {
	t.Helper()
	for _, sub := range []string{"objects/pack", "refs/heads"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	writeFile(t, filepath.Join(dir, "HEAD"), "ref: refs/heads/main\n")
}

// delta returns the instructions that make a result of a size of a base of a
// size.
func delta(base, result int, ops ...byte) []byte {
	b := binary.AppendUvarint(nil, uint64(base))
	return append(binary.AppendUvarint(b, uint64(result)), ops...)
}

func TestHostilePacks(t *testing.T) {
	bomb := bytes.Repeat([]byte{0}, 300<<20)
	chain := func(n int) []packed {
		list := []packed{obj(packBlob, "base")}
		last := nameOf("blob", []byte("base"))
		for i := range n {
			id := fmt.Sprintf("%040x", i+1)
			list = append(list, packed{id: id, kind: packRefDelta, ref: last, data: delta(4, 4, 0x90, 4), size: -1})
			last = id
		}
		return list
	}
	target := strings.Repeat("ab", 20)
	one := func(p packed) []packed {
		if p.id == "" {
			p.id = target
		}
		return []packed{obj(packBlob, "base"), p}
	}
	million := make([]packed, 0, 1<<20)
	if os.Getenv("SPECGRAFT_HOSTILE") == "all" {
		for i := range 1_000_000 {
			million = append(million, packed{id: fmt.Sprintf("%040x", i), kind: packBlob, size: -1})
		}
	}
	tests := []struct {
		name    string
		objects []packed
		damage  func(pack, idx []byte) ([]byte, []byte)
		ask     string
		want    string
	}{
		{"good", chain(3)[:1], nil, nameOf("blob", []byte("base")), ""},
		{"good delta", []packed{obj(packBlob, "base"), {id: nameOf("blob", []byte("asbase")), kind: packRefDelta, ref: nameOf("blob", []byte("base")), data: delta(4, 6, 0x91, 1, 2, 0x90, 4), size: -1}}, nil, nameOf("blob", []byte("asbase")), ""},
		{"other content", one(packed{kind: packBlob, data: []byte("x"), size: -1}), nil, target, "other content than its name says"},
		{"wrong checksum in the index", one(packed{id: nameOf("blob", []byte("x")), kind: packBlob, data: []byte("x"), size: -1, badCRC: true}), nil, nameOf("blob", []byte("x")), "checksum that is in the index"},
		{"no zlib", one(packed{kind: packBlob, size: 4, badZlib: true}), nil, target, "compressed data"},
		{"cycle", []packed{{id: target, kind: packRefDelta, ref: idA, data: delta(4, 4, 0x90, 4), size: -1}, {id: idA, kind: packRefDelta, ref: target, data: delta(4, 4, 0x90, 4), size: -1}}, nil, target, "back to itself"},
		{"its own base", one(packed{kind: packRefDelta, ref: target, data: delta(4, 4, 0x90, 4), size: -1}), nil, target, "back to itself"},
		{"no base", one(packed{kind: packRefDelta, ref: idA, data: delta(4, 4, 0x90, 4), size: -1}), nil, target, "is missing"},
		{"base at the delta", one(packed{kind: packOfsDelta, back: 0, data: delta(4, 4, 0x90, 4), size: -1}), nil, target, "outside of the pack"},
		{"base before the pack", one(packed{kind: packOfsDelta, back: 1 << 40, data: delta(4, 4, 0x90, 4), size: -1}), nil, target, "outside of the pack"},
		{"long chain", chain(maxChain + 10), nil, fmt.Sprintf("%040x", maxChain+10), "more than 4096 deltas"},
		{"copy beyond the base", one(packed{kind: packRefDelta, ref: nameOf("blob", []byte("base")), data: delta(4, 9, 0x90, 9), size: -1}), nil, target, "a delta is damaged"},
		{"copy more than declared", one(packed{kind: packRefDelta, ref: nameOf("blob", []byte("base")), data: delta(4, 2, 0x90, 4), size: -1}), nil, target, "a delta is damaged"},
		{"other size of the base", one(packed{kind: packRefDelta, ref: nameOf("blob", []byte("base")), data: delta(5, 4, 0x90, 4), size: -1}), nil, target, "a delta is damaged"},
		{"instruction 0", one(packed{kind: packRefDelta, ref: nameOf("blob", []byte("base")), data: delta(4, 4, 0), size: -1}), nil, target, "a delta is damaged"},
		{"cut instruction", one(packed{kind: packRefDelta, ref: nameOf("blob", []byte("base")), data: delta(4, 4, 0xff), size: -1}), nil, target, "a delta is damaged"},
		{"delta that declares much", one(packed{kind: packRefDelta, ref: nameOf("blob", []byte("base")), data: delta(4, 1<<40, 0x90, 4), size: -1}), nil, target, "has 1099511627776 bytes"},
		{"bomb that declares little", one(packed{kind: packBlob, data: bomb, size: 10}), nil, target, "compressed data"},
		{"bomb that declares all", one(packed{kind: packBlob, data: bomb, size: -1}), nil, target, "314572800 bytes"},
		{"declares more than there is", one(packed{kind: packBlob, data: []byte("x"), size: 200 << 20}), nil, target, "damaged"},
		{"commit as large as a blob", one(packed{kind: packCommit, data: bomb[:20<<20], size: -1}), nil, target, "missing"},
		{"unknown type", one(packed{kind: 5, data: []byte("x"), size: -1}), nil, target, "unknown type 5"},
		{"offset behind the pack", one(packed{kind: packBlob, data: []byte("x"), size: -1, offset: 1 << 30}), nil, target, "outside of the pack"},
		{"large offset behind the pack", one(packed{kind: packBlob, data: []byte("x"), size: -1, offset: 1 << 50}), nil, target, "outside of the pack"},
		{"negative offset", one(packed{kind: packBlob, data: []byte("x"), size: -1, offset: -5}), nil, target, "outside of the pack"},
		{"offset into the header", one(packed{kind: packBlob, data: []byte("x"), size: -1, offset: 3}), nil, target, "outside of the pack"},
		{"pack cut off", one(obj(packBlob, gittest.Noise(1, 1000))), func(pack, idx []byte) ([]byte, []byte) { return pack[:100], idx }, target, "damaged"},
		{"pack of nothing", one(obj(packBlob, "x")), func(_, idx []byte) ([]byte, []byte) { return nil, idx }, target, "not a pack"},
		{"index cut off", one(obj(packBlob, "x")), func(pack, idx []byte) ([]byte, []byte) { return pack, idx[:len(idx)-50] }, target, "cut off"},
		{"index in disorder", one(obj(packBlob, "x")), func(pack, idx []byte) ([]byte, []byte) { idx[8] = 0xff; return pack, idx }, target, "not in order"},
		{"index declares many", one(obj(packBlob, "x")), func(pack, idx []byte) ([]byte, []byte) {
			copy(idx[8+255*4:], "\xff\xff\xff\xff")
			return pack, idx
		}, target, "cut off"},
		{"a million empty objects", million, nil, fmt.Sprintf("%040x", 99999), "other content"},
	}
	for _, tt := range tests {
		if len(tt.objects) == 0 {
			continue // too long for a short test
		}
		t.Run(tt.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "r.git")
			emptyRepository(t, dir)
			writePack(t, dir, tt.objects...)
			if tt.damage != nil {
				packs, _ := filepath.Glob(filepath.Join(dir, "objects/pack/*.pack"))
				idxs, _ := filepath.Glob(filepath.Join(dir, "objects/pack/*.idx"))
				pack, _ := os.ReadFile(packs[0])
				idx, _ := os.ReadFile(idxs[0])
				pack, idx = tt.damage(pack, idx)
				os.WriteFile(packs[0], pack, 0o644)
				os.WriteFile(idxs[0], idx, 0o644)
			}
			repo, ok := NewPool(t.Context(), &Git{Path: "/nonexistent/git"}).Open(dir)
			if !ok {
				t.Fatal("not a repository")
			}
			defer repo.Close()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			var err error
			if tt.objects[len(tt.objects)-1].kind == packCommit {
				_, err = repo.Commit(tt.ask)
				if diag.HasCode(err, "fedora/too-large") {
					return
				}
			} else {
				_, err = repo.Blob(tt.ask)
			}
			runtime.ReadMemStats(&after)
			if n := after.TotalAlloc - before.TotalAlloc; n > 100<<20 {
				t.Errorf("%d MiB allocated", n>>20)
			}
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("a good object: %v", err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got %v, want %s", err, tt.want)
			case tt.want != "" && !diag.HasCode(err, "fedora/unreadable-repository", "fedora/too-large"):
				t.Errorf("%v has no code", err)
			}
		})
	}
}

// TestHostileChain reads a chain of deltas of which each is small, and makes much of
// the one before.
func TestHostileChain(t *testing.T) {
	t.Parallel()
	const size = 0xffffff // what one instruction copies at most
	last := nameOf("blob", make([]byte, size))
	list := []packed{obj(packBlob, string(make([]byte, size)))}
	for i := range maxChainBytes/size + 2 {
		id := fmt.Sprintf("%040x", i+1)
		list = append(list, packed{id: id, kind: packRefDelta, ref: last, data: delta(size, size, 0xf0, 0xff, 0xff, 0xff), size: -1})
		last = id
	}
	dir := filepath.Join(t.TempDir(), "r.git")
	emptyRepository(t, dir)
	writePack(t, dir, list...)
	repo, ok := NewPool(t.Context(), &Git{Path: "/nonexistent/git"}).Open(dir)
	if !ok {
		t.Fatal("not a repository")
	}
	defer repo.Close()
	if _, err := repo.Blob(last); !diag.HasCode(err, "fedora/unreadable-repository") || !strings.Contains(err.Error(), "more than 1024 MiB to put together") {
		t.Errorf("got %v", err)
	}
}

// FuzzPack reads the objects of arbitrary packs.
func FuzzPack(f *testing.F) {
	dir := filepath.Join(f.TempDir(), "seed.git")
	emptyRepository(f, dir)
	base := nameOf("blob", []byte("base"))
	writePack(f, dir, obj(packBlob, "base"), obj(packTree, "100644 a\x00aaaaaaaaaaaaaaaaaaaa"),
		packed{id: idA, kind: packRefDelta, ref: base, data: delta(4, 6, 0x91, 1, 2, 0x90, 4), size: -1},
		packed{id: idB, kind: packOfsDelta, back: 40, data: delta(4, 5, 1, 'x', 0x90, 4), size: -1})
	packs, _ := filepath.Glob(filepath.Join(dir, "objects/pack/*.pack"))
	pack, _ := os.ReadFile(packs[0])
	idx, _ := os.ReadFile(strings.TrimSuffix(packs[0], ".pack") + ".idx")
	f.Add(pack, idx)
	work := filepath.Join(f.TempDir(), "r.git")
	emptyRepository(f, work)
	f.Fuzz(func(t *testing.T, pack, idx []byte) {
		name := filepath.Join(work, "objects/pack/pack-x")
		if os.WriteFile(name+".pack", pack, 0o644) != nil || os.WriteFile(name+".idx", idx, 0o644) != nil {
			t.Skip()
		}
		p, err := openPack(name)
		if err != nil {
			return
		}
		s := &objectStore{dir: filepath.Join(work, "objects"), packs: []*packFile{p}, bases: map[baseKey][]byte{}, kinds: map[baseKey]string{}}
		defer s.close()
		for i := range min(p.n, 20) {
			id := hex.EncodeToString(p.name(i))
			o, body, err := s.open(id)
			if err != nil || o.missing {
				continue
			}
			data, err := io.ReadAll(body)
			if err == nil && nameOf(o.kind, data) != id {
				t.Fatalf("%s was handed out with other content", id)
			}
		}
	})
}

// TestAnother reads a repository with several readers at the same time, also when
// the first one is closed, and when its packs are large or were replaced.
func TestAnother(t *testing.T) {
	t.Parallel()
	r := gittest.New(t, filepath.Join(t.TempDir(), "r.git"))
	var last []int
	for i := range 3 {
		last = []int{r.Commit("f43", i+1, last, gittest.File{Path: "a", Content: fmt.Sprint(i)}, gittest.File{Path: "b", Content: gittest.Noise(i, wholePack*2/3)})}
	}
	byMark := r.Flush()
	ids := []string{byMark[1], byMark[2], byMark[3]}
	r.Git("repack", "-adq")
	repo, err := OpenWorktree(t.Context(), r.Dir)
	if err != nil {
		t.Fatal(err)
	}
	defer repo.Close()
	var readers sync.WaitGroup
	for range 4 {
		another, ok := repo.Another()
		if !ok {
			t.Fatal("there is no other reader of a repository that is read without git")
		}
		if p := another.objects.packs; len(p) != 1 || p[0].file == nil || p[0].file == repo.objects.packs[0].file {
			t.Fatal("the pack is not large, or is not opened again")
		}
		readers.Go(func() {
			defer another.Close()
			for i, id := range ids {
				if data, err := another.ReadFile(id, "a"); err != nil || string(data) != fmt.Sprint(i) {
					t.Errorf("%s: %q, %v", id, data, err)
				}
			}
		})
	}
	readers.Wait()
	if data, err := repo.ReadFile(ids[1], "a"); err != nil || string(data) != "1" {
		t.Errorf("after the others are closed: %q, %v", data, err)
	}
	pack, _ := filepath.Glob(filepath.Join(r.Dir, "objects/pack/*.pack"))
	if err := os.Remove(pack[0]); err != nil {
		t.Fatal(err)
	}
	if _, ok := repo.Another(); ok {
		t.Error("another reader of a pack that is gone")
	}
	repo.Close()
	if _, ok := repo.Another(); ok {
		t.Error("another reader of a closed repository")
	}
}
