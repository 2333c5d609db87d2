package diag

import (
	"fmt"
	"strings"
)

// Abridge joins at most n names for a message, and says how many more there are.
func Abridge(names []string, n int) string {
	if len(names) <= n {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:n], ", "), len(names)-n)
}
