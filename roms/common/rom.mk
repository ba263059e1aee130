# SPDX-License-Identifier: Apache-2.0
# How every game here is built; its Makefile sets GAME and TITLE and includes this.
# `make` builds build/$(GAME).gb; `make install` makes it the ROM that the package ships.

BUILD := build
COMMON := ../common
ROMS := ../../realtime_rl/plants/roms

$(BUILD)/$(GAME).gb: main.c $(wildcard *.h) $(wildcard $(COMMON)/*)
	mkdir -p $(BUILD)
	sdasgb -plosgff -o $(BUILD)/crt0.rel $(COMMON)/crt0.s
	sdcc -msm83 --std-c11 --opt-code-size -I$(COMMON) -c main.c -o $(BUILD)/main.rel
	sdcc -msm83 --no-std-crt0 --code-loc 0x0200 --data-loc 0xc100 \
		$(BUILD)/crt0.rel $(BUILD)/main.rel -o $(BUILD)/$(GAME).ihx
	makebin -Z -yN -yt 0 -yo 2 -ya 0 -yn $(TITLE) $(BUILD)/$(GAME).ihx $@

.PHONY: install clean
install: $(BUILD)/$(GAME).gb
	cp $< $(ROMS)/$(GAME).gb
	cd $(ROMS) && LC_ALL=C sha256sum *.gb > SHA256SUMS

clean:
	rm -rf $(BUILD)
