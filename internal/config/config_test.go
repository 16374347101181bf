package config

import "testing"

func TestExampleLoads(t *testing.T) {
	cfg, err := Load("../../config.toml.example")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", cfg)
}
