// SPDX-License-Identifier: Apache-2.0
// An OpenTelemetry collector with what the tests and benchmarks speak to: OTLP, Fluent Forward, syslog and files in;
// a file and Kafka out; a queue on the disk.
package main

import (
	"log"

	"github.com/open-telemetry/opentelemetry-collector-contrib/exporter/fileexporter"
	"github.com/open-telemetry/opentelemetry-collector-contrib/exporter/kafkaexporter"
	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/filelogreceiver"
	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/fluentforwardreceiver"
	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/syslogreceiver"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/fileprovider"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/service/telemetry/otelconftelemetry"
)

func components() (otelcol.Factories, error) {
	f := otelcol.Factories{
		Receivers:  map[component.Type]receiver.Factory{},
		Exporters:  map[component.Type]exporter.Factory{},
		Extensions: map[component.Type]extension.Factory{},
		Telemetry:  otelconftelemetry.NewFactory(),
	}
	for _, r := range []receiver.Factory{otlpreceiver.NewFactory(), filelogreceiver.NewFactory(),
		fluentforwardreceiver.NewFactory(), syslogreceiver.NewFactory()} {
		f.Receivers[r.Type()] = r
	}
	for _, e := range []exporter.Factory{fileexporter.NewFactory(), kafkaexporter.NewFactory()} {
		f.Exporters[e.Type()] = e
	}
	s := filestorage.NewFactory()
	f.Extensions[s.Type()] = s
	return f, nil
}

func main() {
	set := otelcol.CollectorSettings{
		BuildInfo: component.BuildInfo{Command: "otelcol", Version: "0.165.0"},
		Factories: components,
		ConfigProviderSettings: otelcol.ConfigProviderSettings{
			ResolverSettings: confmap.ResolverSettings{
				ProviderFactories: []confmap.ProviderFactory{fileprovider.NewFactory()},
				DefaultScheme:     "file",
			},
		},
	}
	if err := otelcol.NewCommand(set).Execute(); err != nil {
		log.Fatal(err)
	}
}
