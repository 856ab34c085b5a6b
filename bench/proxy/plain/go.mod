module lockstep/bench/plain

go 1.26.0
