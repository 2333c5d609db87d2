package reader

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"specgraft/overlay/diag"
)

const srpmSpec = `Name: boat
Epoch: 2
Version: 1.0~rc1
Release: 3
Summary: A boat
License: MIT
URL: https://boat.example
Source0: hull.tar.gz
Source1: run.sh
Patch0: oar.patch

%description
A boat.

%files
`

// buildSRPM builds a source package with rpmbuild, or skips.
func buildSRPM(t testing.TB, compression string) string {
	t.Helper()
	rpmbuild, err := exec.LookPath("rpmbuild")
	if err != nil {
		t.Skip("rpmbuild is not installed")
	}
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	write("boat.spec", srpmSpec, 0o644)
	write("hull.tar.gz", strings.Repeat("hull ", 10000), 0o644)
	write("run.sh", "#!/bin/sh\n", 0o755)
	write("oar.patch", "a patch\n", 0o644)
	args := []string{"-bs", "--quiet", "--define", "_sourcedir " + dir, "--define", "_srcrpmdir " + dir, "--define", "_tmppath " + dir,
		"--define", "_buildhost host.example", "--define", "use_source_date_epoch_as_buildtime 1", "--define", "clamp_mtime_to_source_date_epoch 1"}
	if compression != "" {
		args = append(args, "--define", "_source_payload "+compression)
	}
	cmd := exec.CommandContext(t.Context(), rpmbuild, append(args, filepath.Join(dir, "boat.spec"))...)
	cmd.Env = append(os.Environ(), "SOURCE_DATE_EPOCH=1700000000")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return filepath.Join(dir, "boat-1.0~rc1-3.src.rpm")
}

func TestReadSRPM(t *testing.T) {
	t.Parallel()
	for _, compression := range []string{"", "w9.gzdio", "w9.bzdio", "w7.xzdio", "w7.lzdio", "w5.zstdio", "w.ufdio"} {
		t.Run(compression, func(t *testing.T) {
			t.Parallel()
			b, err := os.ReadFile(buildSRPM(t, compression))
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			p, err := Read(bytes.NewReader(b), func(f *File, r io.Reader) error {
				b, err := io.ReadAll(r)
				got[f.Name] = string(b)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]string{
				"boat.spec": srpmSpec, "hull.tar.gz": strings.Repeat("hull ", 10000), "run.sh": "#!/bin/sh\n", "oar.patch": "a patch\n",
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("files (-want +got):\n%s", d)
			}
			if p.NEVR() != "boat-2:1.0~rc1-3" || p.Spec != "boat.spec" || p.License != "MIT" || p.URL != "https://boat.example" || p.Summary != "A boat" ||
				p.BuildHost != "host.example" {
				t.Errorf("header: %+v", p)
			}
			var modes []string
			for _, f := range p.Files {
				modes = append(modes, f.Name+" "+f.Mode.String()+" "+f.DigestType)
			}
			if d := cmp.Diff([]string{"boat.spec -rw-r--r-- SHA256", "hull.tar.gz -rw-r--r-- SHA256", "oar.patch -rw-r--r-- SHA256", "run.sh -rwxr-xr-x SHA256"}, modes); d != "" {
				t.Errorf("files (-want +got):\n%s", d)
			}
			if d := cmp.Diff([]string{"header", "payload", "files"}, p.Verified); d != "" {
				t.Errorf("digests (-want +got):\n%s", d)
			}
			// Files that are not read are verified all the same.
			if _, err := Read(bytes.NewReader(b), nil); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestReadSRPMDamaged flips each byte of a package in turn, and cuts the
// package at each length: nothing but an error may come of it.
func TestReadSRPMDamaged(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(buildSRPM(t, "w9.gzdio"))
	if err != nil {
		t.Fatal(err)
	}
	sig := 96 + sigSize(b)
	passed := 0
	for i := range b {
		c := bytes.Clone(b)
		c[i] ^= 0x55
		_, err := Read(bytes.NewReader(c), nil)
		if err == nil {
			// The lead and parts of the signature header carry nothing that
			// is looked at; header and payload are covered by digests.
			if passed++; i >= sig {
				t.Errorf("byte %d changed, and nobody noticed", i)
			}
			continue
		}
		if d, ok := errors.AsType[*diag.Diagnostic](err); !ok || !strings.HasPrefix(d.Code, "srpm/") && d.Code != "lookaside/name" || strings.Contains(d.Message, "\n") {
			t.Fatalf("byte %d: %v", i, err)
		}
	}
	t.Logf("%d of %d bytes do not matter", passed, len(b))
	for n := 0; n < len(b); n += 1 + n/50 {
		if _, err := Read(bytes.NewReader(b[:n]), nil); err == nil {
			t.Errorf("cut off at %d bytes, and nobody noticed", n)
		}
	}
}

// hostileSRPM makes the beginning of a package whose header declares the given
// numbers of entries and bytes.
func hostileSRPM(sigEntries, sigSize uint32, rest ...byte) []byte {
	b := make([]byte, 96)
	copy(b, []byte{0xed, 0xab, 0xee, 0xdb, 3, 0, 0, 1})
	b = append(b, 0x8e, 0xad, 0xe8, 1, 0, 0, 0, 0)
	b = binary.BigEndian.AppendUint32(b, sigEntries)
	b = binary.BigEndian.AppendUint32(b, sigSize)
	return append(b, rest...)
}

func TestReadSRPMHostile(t *testing.T) {
	entry := func(tag, kind, offset, count uint32) []byte {
		var b []byte
		for _, n := range []uint32{tag, kind, offset, count} {
			b = binary.BigEndian.AppendUint32(b, n)
		}
		return b
	}
	tests := []struct {
		name string
		in   []byte
		want string
	}{
		{"nothing", nil, "shorter than"},
		{"text", bytes.Repeat([]byte("text "), 40), "does not begin like"},
		{"4 GiB of data", hostileSRPM(1, 0xffffffff), "too much"},
		{"64 GiB of entries", hostileSRPM(0xffffffff, 1), "too much"},
		{"64 MiB that are not there", hostileSRPM(1000, maxHeaderData), "cut off"},
		{"entry behind the data", hostileSRPM(1, 8, append(entry(1000, 7, 9, 1), make([]byte, 8)...)...), "outside"},
		{"entry that ends behind the data", hostileSRPM(1, 8, append(entry(1000, 5, 0, 2), make([]byte, 8)...)...), "outside"},
		{"entry at a negative offset", hostileSRPM(1, 8, append(entry(1000, 7, 0xffffffff, 1), make([]byte, 8)...)...), "outside"},
		{"count that overflows", hostileSRPM(1, 8, append(entry(1000, 5, 0, 0x20000001), make([]byte, 8)...)...), "outside"},
		{"unknown type", hostileSRPM(1, 8, append(entry(1000, 77, 0, 1), make([]byte, 8)...)...), "unknown type"},
		{"text without an end", hostileSRPM(1, 8, append(entry(1000, 6, 0, 1), []byte("abcdefgh")...)...), "not terminated"},
		{"texts that overlap", hostileSRPM(2, 8, append(append(entry(1000, 6, 0, 1), entry(1001, 6, 1, 1)...), []byte("abcdefg\x00")...)...), "overlap"},
		{"no header", hostileSRPM(0, 0), "missing"},
		{"binary package", append([]byte{0xed, 0xab, 0xee, 0xdb, 3, 0, 0, 0}, make([]byte, 100)...), "binary package"},
	}
	var before, after runtime.MemStats
	for _, tt := range tests {
		runtime.ReadMemStats(&before)
		_, err := Read(bytes.NewReader(tt.in), nil)
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
			t.Errorf("%s: %d bytes allocated", tt.name, n)
		}
	}
}

// FuzzSRPM checks that no input makes the reader panic, and that what it
// accepts is consistent.
func FuzzSRPM(f *testing.F) {
	f.Add(hostileSRPM(1, 8, make([]byte, 40)...))
	if _, err := exec.LookPath("rpmbuild"); err == nil {
		b, err := os.ReadFile(buildSRPM(f, "w9.gzdio"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		total := int64(0)
		p, err := Read(bytes.NewReader(b), func(f *File, r io.Reader) error {
			n, err := io.Copy(io.Discard, io.LimitReader(r, 1<<20))
			total += n
			return err
		})
		if err == nil && (p.Spec == "" || len(p.Files) == 0 || len(p.Verified) == 0) {
			t.Errorf("accepted %+v", p)
		}
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("the error has several lines: %q", err)
		}
	})
}

// TestStrippedPayload reads the payload of a package of format 6, whose entries
// are numbers of files in the header.
func TestStrippedPayload(t *testing.T) {
	t.Parallel()
	const trailer = "07070100000000000000000000000000000000000000010000000000000000000000000000000000000000000000000000000b00000000TRAILER!!!\x00\x00\x00\x00"
	entry := func(index int, content string) string {
		return fmt.Sprintf("07070X%08x\x00\x00", index) + content + strings.Repeat("\x00", (4-len(content)%4)%4)
	}
	for _, c := range []struct{ name, payload, want string }{
		{"in order", entry(0, "bb") + entry(1, "aaa") + trailer, ""},
		{"another order", entry(1, "aaa") + entry(0, "bb") + trailer, ""},
		{"a number that is not there", entry(0, "bb") + entry(2, "aaa") + trailer, "file number 2, which the header does not list"},
		{"a number twice", entry(0, "bb") + entry(0, "bb") + trailer, `has "b" twice`},
		{"cut off", entry(0, "bb") + "07070X0000", "cut off"},
		{"no number", "07070X0000zzzz\x00\x00", "a header is damaged"},
		{"a file too few", entry(0, "bb") + trailer, `lacks "a"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := &Package{Files: []File{{Name: "a", Size: 3, index: 1}, {Name: "b", Size: 2, index: 0}}}
			got := map[string]string{}
			err := p.readPayload(strings.NewReader(c.payload), func(f *File, r io.Reader) error {
				b, err := io.ReadAll(r)
				got[f.Name] = string(b)
				return err
			})
			switch {
			case c.want == "" && err != nil, c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("%v, want %q", err, c.want)
			case c.want == "" && (got["a"] != "aaa" || got["b"] != "bb"):
				t.Errorf("read %q", got)
			}
		})
	}
}
