// SPDX-License-Identifier: Apache-2.0
// The Game Boy as the games here use it: registers, sprites, buttons, and what crt0.s has.

#include <stdint.h>

volatile uint16_t __at(0xC013) rng;           // state of the generator, never 0

typedef struct {
    uint8_t y, x, tile, flags;
} sprite_t;

volatile sprite_t __at(0xC200) sprites[40];   // crt0.s copies this page

#define REGISTER(address) (*(volatile uint8_t *)(address))
#define JOYPAD REGISTER(0xFF00)
#define INTERRUPT_FLAGS REGISTER(0xFF0F)
#define LCDC REGISTER(0xFF40)
#define STAT REGISTER(0xFF41)
#define SCY REGISTER(0xFF42)
#define SCX REGISTER(0xFF43)
#define LY REGISTER(0xFF44)
#define LYC REGISTER(0xFF45)
#define BGP REGISTER(0xFF47)
#define OBP0 REGISTER(0xFF48)
#define INTERRUPT_ENABLE REGISTER(0xFFFF)
#define TILE_DATA ((volatile uint8_t *)0x8000)
#define TILE_MAP ((volatile uint8_t *)0x9800)

enum { RIGHT = 0x01, LEFT = 0x02, UP = 0x04, DOWN = 0x08 };
enum { A = 0x10, B = 0x20, SELECT = 0x40, START = 0x80 };

void copy_sprites(void);
void wait_interrupt(void);
uint16_t random16(void);  // the next state of `rng`

static uint8_t read_buttons(void) {
    uint8_t directions, others;
    JOYPAD = 0x20;
    directions = JOYPAD;
    directions = JOYPAD;  // the lines need a moment to settle
    JOYPAD = 0x10;
    others = JOYPAD;
    others = JOYPAD;
    JOYPAD = 0x30;
    return (uint8_t)~((directions & 0x0F) | (others << 4));
}
