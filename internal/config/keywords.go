package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Keyword is a flag that has a name and a colour on screen.
type Keyword struct {
	Name  string // as IMAP has it
	Label string
	Color string // one of KeywordColors; "" : none
}

// KeywordColors are the colours that a label can have.
var KeywordColors = []string{"red", "yellow", "green", "cyan", "blue", "magenta", "gray"}

// DefaultKeywords are what holds where the config is silent: the labels that other programs know by these names.
func DefaultKeywords() []Keyword {
	return []Keyword{
		{"$Label1", "Important", "red"}, {"$Label2", "Work", "yellow"}, {"$Label3", "Personal", "green"},
		{"$Label4", "To do", "blue"}, {"$Label5", "Later", "magenta"},
	}
}

// keywords takes labels: an array of arrays of keyword, label and colour.
func keywords(into *[]Keyword, v any) error {
	expected := fmt.Sprintf(`arrays of a keyword, its label and its colour, such as [["$Label1", "Important", "red"]] (colours: %s or "")`, strings.Join(KeywordColors, ", "))
	array, ok := v.([]any)
	if !ok {
		return fmt.Errorf("is %s; expected %s", kindOf(v), expected)
	}
	var all []Keyword
	for i, e := range array {
		triple, ok := e.([]any)
		if !ok || len(triple) != 3 {
			return fmt.Errorf("element %d is not three strings; expected %s", i+1, expected)
		}
		var k Keyword
		for n, into := range []*string{&k.Name, &k.Label, &k.Color} {
			if err := optionalWords(into, triple[n], 100); err != nil {
				return fmt.Errorf("element %d: %w; expected %s", i+1, err, expected)
			}
		}
		switch {
		case k.Name == "" || strings.HasPrefix(k.Name, `\`) || strings.ContainsFunc(k.Name, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`(){%*"\]`, r) }):
			return fmt.Errorf("element %d: %.40q is no keyword; a keyword is one word of plain letters, digits and signs such as $ - _", i+1, k.Name)
		case strings.TrimSpace(k.Label) == "":
			return fmt.Errorf("element %d has no label; expected %s", i+1, expected)
		case k.Color != "" && !slices.Contains(KeywordColors, k.Color):
			return fmt.Errorf("element %d: %.40q is no colour; expected %s", i+1, k.Color, expected)
		case slices.ContainsFunc(all, func(o Keyword) bool { return strings.EqualFold(o.Name, k.Name) }):
			return errors.New("names " + k.Name + " twice")
		}
		all = append(all, k)
	}
	*into = all
	return nil
}
