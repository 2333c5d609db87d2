package reader

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Tag is an entry of the header of a source package, or what several entries say
// together: the dependencies, and the changelog.
type Tag struct {
	Name   string   // as rpm calls it, or "tag 1234"
	Values []string // each on its own; numbers in decimal
}

// tagNames are the entries of a source package's header, as rpm calls them. An
// empty name is one that Tags leaves out: what it says about files stands in
// Package.Files, and the rest describes the package file itself.
var tagNames = map[uint32]string{
	61: "", 62: "", 63: "", 100: "HEADERI18NTABLE", 1000: "NAME", 1001: "VERSION", 1002: "RELEASE", 1003: "EPOCH", 1004: "SUMMARY", 1005: "DESCRIPTION",
	1006: "BUILDTIME", 1007: "BUILDHOST", 1009: "", 1010: "DISTRIBUTION", 1011: "VENDOR", 1014: "LICENSE", 1015: "PACKAGER",
	1016: "GROUP", 1018: "SOURCE", 1019: "PATCH", 1020: "URL", 1021: "OS", 1022: "ARCH", 1028: "", 1030: "", 1033: "", 1034: "",
	1035: "", 1036: "", 1037: "", 1039: "", 1040: "", 1044: "SOURCERPM", 1045: "", 1051: "NOSOURCE", 1052: "NOPATCH", 1059: "EXCLUDEARCH",
	1060: "EXCLUDEOS", 1061: "EXCLUSIVEARCH", 1062: "EXCLUSIVEOS", 1064: "RPMVERSION", 1089: "BUILDARCHS", 1094: "COOKIE", 1095: "", 1096: "",
	1097: "", 1106: "SOURCEPACKAGE", 1116: "", 1117: "", 1118: "", 1124: "PAYLOADFORMAT", 1125: "PAYLOADCOMPRESSOR", 1126: "PAYLOADFLAGS",
	1132: "PLATFORM", 1155: "DISTTAG", 5008: "", 5009: "", 5011: "FILEDIGESTALGO", 5012: "BUGURL", 5034: "VCS", 5062: "ENCODING", 5092: "",
	5093: "PAYLOADDIGESTALGO", 5096: "MODULARITYLABEL", 5097: "", 5099: "", 5100: "TRANSLATIONURL", 5101: "UPSTREAMRELEASES",
}

// dependencyTags are names, versions and flags that make up dependencies.
var dependencyTags = []struct {
	name                   string
	names, versions, flags uint32
}{
	{"REQUIRES", 1049, 1050, 1048}, {"PROVIDES", 1047, 1113, 1112}, {"CONFLICTS", 1054, 1055, 1053}, {"OBSOLETES", 1090, 1115, 1114},
	{"RECOMMENDS", 5046, 5047, 5048}, {"SUGGESTS", 5049, 5050, 5051}, {"SUPPLEMENTS", 5052, 5053, 5054}, {"ENHANCES", 5055, 5056, 5057},
}

// Times, names and texts of changelog entries.
const (
	tagChangelogTime = 1080
	tagChangelogName = 1081
	tagChangelogText = 1082
)

// tags reads the main header, whose entries have been checked. head are all headers
// as they stand in the file.
func tags(head []byte) []Tag {
	at := 96 + sigSize(head)
	entries := int(binary.BigEndian.Uint32(head[at+8:]))
	table := head[at+16:]
	data := table[16*entries:]
	raw := map[uint32][]string{}
	var order []uint32
	for i := range entries {
		row := table[16*i:]
		tag := binary.BigEndian.Uint32(row)
		if _, twice := raw[tag]; !twice {
			order = append(order, tag)
		}
		raw[tag] = values(binary.BigEndian.Uint32(row[4:]), data[binary.BigEndian.Uint32(row[8:]):], int(binary.BigEndian.Uint32(row[12:])))
	}
	part := map[uint32]bool{tagChangelogTime: true, tagChangelogName: true, tagChangelogText: true}
	for _, d := range dependencyTags {
		part[d.names], part[d.versions], part[d.flags] = true, true, true
	}
	slices.Sort(order)
	var out []Tag
	for _, tag := range order {
		name, known := tagNames[tag]
		switch {
		case part[tag], known && name == "":
			continue
		case !known:
			name = fmt.Sprintf("tag %d", tag)
		}
		out = append(out, Tag{name, raw[tag]})
	}
	for _, d := range dependencyTags {
		if names := raw[d.names]; len(names) > 0 {
			out = append(out, Tag{d.name, dependencies(names, raw[d.versions], raw[d.flags])})
		}
	}
	if names := raw[tagChangelogName]; len(names) > 0 {
		t := Tag{Name: "CHANGELOG"}
		for i, name := range names {
			when := ""
			if i < len(raw[tagChangelogTime]) {
				n, _ := strconv.ParseInt(raw[tagChangelogTime][i], 10, 64)
				when = time.Unix(n, 0).UTC().Format("Mon Jan 02 2006 ")
			}
			text := ""
			if i < len(raw[tagChangelogText]) {
				text = "\n" + raw[tagChangelogText][i]
			}
			t.Values = append(t.Values, when+name+text)
		}
		out = append(out, t)
	}
	return out
}

// values reads one entry.
func values(kind uint32, data []byte, count int) []string {
	var out []string
	switch kind {
	case 6, 8, 9:
		for range count {
			i := bytes.IndexByte(data, 0)
			out = append(out, string(data[:i]))
			data = data[i+1:]
		}
	case 7:
		out = append(out, hex.EncodeToString(data[:count]))
	default:
		size := int(entrySize[kind])
		for i := range count {
			n := uint64(0)
			for _, b := range data[i*size : (i+1)*size] {
				n = n<<8 | uint64(b)
			}
			out = append(out, strconv.FormatUint(n, 10))
		}
	}
	return out
}

// dependencies writes dependencies as a spec has them.
func dependencies(names, versions, flags []string) []string {
	const less, greater, equal = 2, 4, 8
	var out []string
	for i, name := range names {
		sense := 0
		if i < len(flags) {
			sense, _ = strconv.Atoi(flags[i])
		}
		var compare strings.Builder
		for _, c := range []struct {
			bit  int
			text string
		}{{less, "<"}, {greater, ">"}, {equal, "="}} {
			if sense&c.bit != 0 {
				compare.WriteString(c.text)
			}
		}
		if compare.Len() > 0 && i < len(versions) {
			name += " " + compare.String() + " " + versions[i]
		}
		out = append(out, name)
	}
	return out
}
