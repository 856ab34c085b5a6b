// This file is laid over the gateway's command by bench/proxy/profile: what is shipped has no profiler in it.
package main

import (
	"log"
	"os"
	"os/signal"
	"runtime/pprof"
	"syscall"
)

// The first SIGUSR1 starts a processor profile, the second ends and writes it to the file of PROFILE.
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
