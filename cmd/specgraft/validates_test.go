package main

import (
	"bytes"
	"fmt"
	"path/filepath"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// validates SCHEMA FILE checks JSON against one of the schemas in testdata/schema,
// which have the fields that other programs read; with ! it must not be valid.
func validates(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: [!] validates SCHEMA FILE")
	}
	file, err := filepath.Abs(filepath.Join("..", "..", "testdata", "schema", args[0]+".json"))
	ts.Check(err)
	schema, err := jsonschema.NewCompiler().Compile(file)
	ts.Check(err)
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader([]byte(ts.ReadFile(args[1]))))
	ts.Check(err)
	err = schema.Validate(doc)
	switch {
	case err != nil && !neg:
		ts.Fatalf("%s is not valid: %v", args[1], err)
	case err == nil && neg:
		ts.Fatalf("%s is valid", args[1])
	case err != nil:
		fmt.Fprintf(ts.Stdout(), "%v\n", err)
	}
}
