// An OpenTelemetry Collector with its own OTLP receiver, and an exporter of ours that writes what
// it received to a file, one OTLP/JSON document a line: the published file exporter can't be had
// from the Go module proxy.
package main

import (
	"context"
	"errors"
	"log"
	"os"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/fileprovider"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/service/telemetry/otelconftelemetry"
)

type fileConfig struct {
	Path string `mapstructure:"path"`
}

type fileExporter struct {
	config    *fileConfig
	marshaler plog.JSONMarshaler
	lock      sync.Mutex
	file      *os.File
}

func (e *fileExporter) Start(context.Context, component.Host) (err error) {
	e.file, err = os.OpenFile(e.config.Path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	return err
}

func (e *fileExporter) Shutdown(context.Context) error {
	return e.file.Close()
}

func (e *fileExporter) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: false}
}

// ConsumeLogs returns after the write, so what a client was told is delivered is in the file.
func (e *fileExporter) ConsumeLogs(_ context.Context, logs plog.Logs) error {
	line, err := e.marshaler.MarshalLogs(logs)
	if err != nil {
		return err
	}
	e.lock.Lock()
	defer e.lock.Unlock()
	_, err = e.file.Write(append(line, '\n'))
	return err
}

func fileFactory() exporter.Factory {
	kind := component.MustNewType("file")
	create := func(_ context.Context, _ exporter.Settings, config component.Config) (exporter.Logs, error) {
		chosen, ok := config.(*fileConfig)
		if !ok {
			return nil, errors.New("the file exporter got another one's configuration")
		}
		return &fileExporter{config: chosen}, nil
	}
	return exporter.NewFactory(
		kind,
		func() component.Config { return &fileConfig{} },
		exporter.WithLogs(create, component.StabilityLevelDevelopment),
	)
}

func components() (otelcol.Factories, error) {
	receivers, err := otelcol.MakeFactoryMap[receiver.Factory](otlpreceiver.NewFactory())
	if err != nil {
		return otelcol.Factories{}, err
	}
	exporters, err := otelcol.MakeFactoryMap[exporter.Factory](fileFactory())
	return otelcol.Factories{
		Receivers: receivers,
		Exporters: exporters,
		Telemetry: otelconftelemetry.NewFactory(),
	}, err
}

func main() {
	settings := otelcol.CollectorSettings{
		BuildInfo: component.BuildInfo{Command: "collector", Description: "for tests", Version: "1"},
		Factories: components,
		ConfigProviderSettings: otelcol.ConfigProviderSettings{
			ResolverSettings: confmap.ResolverSettings{
				ProviderFactories: []confmap.ProviderFactory{fileprovider.NewFactory()},
				DefaultScheme:     "file",
			},
		},
	}
	if err := otelcol.NewCommand(settings).Execute(); err != nil {
		log.Fatal(err)
	}
}
