package autospec

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"
)

// parseIdent takes an author header apart as libgit2 does: the last "<" and
// the last ">" of the line delimit the mail address, and blanks, control
// characters and some punctuation are trimmed off both ends of name and
// address.
func parseIdent(line string) (User, error) {
	open, end := strings.LastIndexByte(line, '<'), strings.LastIndexByte(line, '>')
	if open < 0 || end < open {
		return User{}, errors.New("the author line has no mail address in angle brackets")
	}
	return User{
		Name:  strings.TrimFunc(line[:open], isCrud),
		Email: strings.TrimFunc(line[open+1:end], isCrud),
	}, nil
}

func isCrud(r rune) bool {
	return r <= ' ' || strings.ContainsRune(",:;<>\"\\'", r)
}

// changelogDate formats Unix seconds as rpm changelogs want it, in UTC.
func changelogDate(seconds int64) (string, error) {
	t := time.Unix(seconds, 0).UTC()
	if y := t.Year(); y < 1 || y > 9999 {
		return "", fmt.Errorf("the date %d seconds after 1970 is in no year that a changelog can show", seconds)
	}
	return t.Format("Mon Jan 02 2006"), nil
}

// decoder returns the function that turns text of a commit into UTF-8. Without
// a declared encoding, invalid UTF-8 is replaced; in a declared one, invalid
// text is an error, as is a name that is unknown.
func decoder(name string) (func(string) (string, error), error) {
	if name == "" {
		return func(s string) (string, error) { return decodeUTF8(s), nil }, nil
	}
	switch key := encodingKey(name); key {
	case "utf8", "u8", "utf", "utf8ucs2", "utf8ucs4", "cp65001":
		return func(s string) (string, error) {
			if !utf8.ValidString(s) {
				return "", fmt.Errorf("the text is not valid in its declared encoding %q", name)
			}
			return s, nil
		}, nil
	case "ascii", "usascii", "646", "ansix3.41968", "iso646us", "cp367", "us":
		return func(s string) (string, error) {
			for i := range len(s) {
				if s[i] >= 0x80 {
					return "", fmt.Errorf("the text is not valid in its declared encoding %q", name)
				}
			}
			return s, nil
		}, nil
	default:
		e, ok := encodings[key]
		if !ok {
			return nil, fmt.Errorf("the declared encoding %q is unknown", name)
		}
		return func(s string) (string, error) {
			out, err := e.NewDecoder().String(s)
			// These decoders replace what they cannot read. The windows
			// pages are those of the web, which fill their gaps with C1
			// control characters.
			if err != nil || strings.ContainsRune(out, utf8.RuneError) ||
				strings.HasPrefix(key, "windows125") && strings.ContainsFunc(out, isC1) {
				return "", fmt.Errorf("the text is not valid in its declared encoding %q", name)
			}
			return out, nil
		}, nil
	}
}

func isC1(r rune) bool { return 0x80 <= r && r <= 0x9f }

// encodingKey normalises the name of an encoding: case and punctuation do not
// matter, and families with several spellings get one.
func encodingKey(name string) string {
	key := strings.Map(func(r rune) rune {
		switch {
		case 'A' <= r && r <= 'Z':
			return r + 'a' - 'A'
		case r == '-' || r == '_' || r == ' ' || r == ':':
			return -1
		}
		return r
	}, name)
	if alias, ok := encodingAliases[key]; ok {
		return alias
	}
	if n, ok := strings.CutPrefix(key, "cp125"); ok && len(n) == 1 {
		return "windows125" + n
	}
	if n, ok := strings.CutPrefix(key, "125"); ok && len(n) == 1 {
		return "windows125" + n
	}
	return key
}

// encodingAliases maps further spellings to the keys of encodings.
var encodingAliases = map[string]string{
	"latin1": "iso88591", "latin": "iso88591", "l1": "iso88591", "8859": "iso88591", "88591": "iso88591", "cp819": "iso88591", "819": "iso88591",
	"latin2": "iso88592", "l2": "iso88592",
	"latin3": "iso88593", "l3": "iso88593",
	"latin4": "iso88594", "l4": "iso88594",
	"cyrillic": "iso88595", "arabic": "iso88596", "greek": "iso88597", "hebrew": "iso88598",
	"latin5": "iso88599", "l5": "iso88599",
	"latin6": "iso885910", "l6": "iso885910",
	"latin7": "iso885913", "l7": "iso885913",
	"latin8": "iso885914", "l8": "iso885914",
	"latin9": "iso885915", "l9": "iso885915",
	"latin10": "iso885916", "l10": "iso885916",
	"ibm437": "cp437", "ibm850": "cp850", "ibm852": "cp852", "ibm855": "cp855", "ibm862": "cp862", "ibm865": "cp865", "ibm866": "cp866",
	"ujis": "eucjp", "ujisjp": "eucjp",
	"shiftjis": "shiftjis", "sjis": "shiftjis", "csshiftjis": "shiftjis", "ms932": "shiftjis", "cp932": "shiftjis", "mskanji": "shiftjis",
	"iso2022jp": "iso2022jp", "csiso2022jp": "iso2022jp",
	"ksc5601": "euckr", "ksx1001": "euckr", "korean": "euckr", "cp949": "euckr", "uhc": "euckr", "949": "euckr",
	"gb2312": "gbk", "euccn": "gbk", "cp936": "gbk", "936": "gbk", "ms936": "gbk", "chinese": "gbk",
	"big5tw": "big5", "csbig5": "big5", "cp950": "big5", "950": "big5",
	"u16": "utf16",
}

// encodings holds what commits of the world have been seen to declare.
var encodings = map[string]encoding.Encoding{
	"iso88591": charmap.ISO8859_1, "iso88592": charmap.ISO8859_2, "iso88593": charmap.ISO8859_3, "iso88594": charmap.ISO8859_4,
	"iso88595": charmap.ISO8859_5, "iso88596": charmap.ISO8859_6, "iso88597": charmap.ISO8859_7, "iso88598": charmap.ISO8859_8,
	"iso88599": charmap.ISO8859_9, "iso885910": charmap.ISO8859_10, "iso885913": charmap.ISO8859_13, "iso885914": charmap.ISO8859_14,
	"iso885915": charmap.ISO8859_15, "iso885916": charmap.ISO8859_16,
	"windows1250": charmap.Windows1250, "windows1251": charmap.Windows1251, "windows1252": charmap.Windows1252,
	"windows1253": charmap.Windows1253, "windows1254": charmap.Windows1254, "windows1255": charmap.Windows1255,
	"windows1256": charmap.Windows1256, "windows1257": charmap.Windows1257, "windows1258": charmap.Windows1258,
	"koi8r": charmap.KOI8R, "koi8u": charmap.KOI8U, "macroman": charmap.Macintosh, "macintosh": charmap.Macintosh,
	"cp437": charmap.CodePage437, "cp850": charmap.CodePage850, "cp852": charmap.CodePage852, "cp855": charmap.CodePage855,
	"cp862": charmap.CodePage862, "cp865": charmap.CodePage865, "cp866": charmap.CodePage866,
	"eucjp": japanese.EUCJP, "shiftjis": japanese.ShiftJIS, "iso2022jp": japanese.ISO2022JP,
	"euckr": korean.EUCKR,
	"gbk":   simplifiedchinese.GBK, "gb18030": simplifiedchinese.GB18030, "hzgb2312": simplifiedchinese.HZGB2312,
	"big5":    traditionalchinese.Big5,
	"utf16":   unicode.UTF16(unicode.LittleEndian, unicode.UseBOM),
	"utf16le": unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM),
	"utf16be": unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM),
}
