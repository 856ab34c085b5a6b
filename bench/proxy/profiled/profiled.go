// bench/proxy/profile adds this file to the gateway's command with an overlay, so that the shipped binary has no profiler.
package main

import (
	"log"
	"os"
	"os/signal"
	"runtime/pprof"
	"syscall"
)

// The first SIGUSR1 starts a CPU profile; the second stops it and writes it to the file in PROFILE.
func init() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1)
	go func() {
		<-signals
		file, err := os.Create(os.Getenv("PROFILE"))
		if err == nil {
			err = pprof.StartCPUProfile(file)
		}
		if err != nil {
			log.Fatal(err)
		}
		<-signals
		pprof.StopCPUProfile()
		if err := file.Close(); err != nil {
			log.Fatal(err)
		}
	}()
}
