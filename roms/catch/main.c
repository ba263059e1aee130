// SPDX-License-Identifier: Apache-2.0
// catch: apples fall, wind blows, a basket catches. One update a frame, always.
//
// The update runs at line 1, before the first line that shows a sprite (16). So the picture of
// a frame shows what the buttons held at its start did: the game itself adds no delay.

#include "art.h"
#include "console.h"

// WRAM map, kept by README.md and realtime_rl/plants/roms/catch.yaml.
volatile uint8_t __at(0xC000) difficulty;     // 0..7, more counts as 7
volatile uint8_t __at(0xC001) stochasticity;  // 0 no wind .. 255 strongest
volatile uint16_t __at(0xC002) seed;
volatile uint8_t __at(0xC004) restart;        // not 0: the next frame starts a new game
volatile uint16_t __at(0xC005) score;         // apples caught
volatile uint8_t __at(0xC007) misses;
volatile uint8_t __at(0xC008) lives;
volatile uint8_t __at(0xC009) game_over;
volatile uint8_t __at(0xC00A) drops;          // caught or missed so far
volatile uint8_t __at(0xC00B) basket_x;       // left edge [px]
volatile uint8_t __at(0xC00C) basket_width;   // [px]
volatile uint8_t __at(0xC00D) apple_x;        // left edge [px], the apple is 16 px wide
volatile uint8_t __at(0xC00E) apple_y;        // top edge [px]
volatile int8_t __at(0xC00F) wind;            // -2..2 [px/frame]
volatile uint8_t __at(0xC010) pause;          // frames until the next apple, 0: one is falling
volatile uint16_t __at(0xC011) frames;        // updates since power on
volatile uint8_t __at(0xC015) last_line;      // screen line at which the update was done
volatile uint8_t __at(0xC016) fall;           // quarter pixels that the apple has fallen too far

enum { GROUND_TILE = 1, LIFE_TILE, LINE_TILE, DIGIT_TILE };
enum { APPLE_TILE = 16, SPLASH_TILE = 20, BASKET_TILE = 24 };
enum {
    LIVES = 5,
    DROPS = 32,
    PAUSE = 9,          // [frames]
    TOP = 16,           // where apples appear
    RIM = 108,          // an apple whose top is here or below is caught or missed
    GROUND = 120,       // where the top of a missed apple comes to rest
    BASKET_Y = 120,
    LAST_COLUMN = 144,
    SCREEN = 160,
};

static void new_apple(void) {
    uint16_t draw = random16() >> 8;
    apple_x = (uint8_t)((draw * 9) >> 4);  // 0..143
    apple_y = TOP;
    fall = 0;
    pause = 0;
}

static void new_game(void) {
    uint8_t round;
    rng = seed ? seed : 0xACE1;
    for (round = 0; round != 8; ++round) random16();  // like seeds, unlike games
    restart = 0;
    score = 0;
    misses = 0;
    lives = LIVES;
    game_over = 0;
    drops = 0;
    wind = 0;
    basket_x = (uint8_t)(SCREEN - basket_width) / 2;
    new_apple();
}

static void move_basket(uint8_t buttons, uint8_t speed) {
    uint8_t last = SCREEN - basket_width;
    uint8_t x = basket_x;
    buttons &= LEFT | RIGHT;
    if (buttons == LEFT) x = x < speed ? 0 : x - speed;
    if (buttons == RIGHT) x += speed;
    basket_x = x > last ? last : x;
}

// Drawn once a frame whatever happens, so that apples come in the same columns in any wind.
static void blow(void) {
    uint16_t draw = random16();
    if ((draw & 0x07FF) < stochasticity)
        wind = (int8_t)(((draw >> 11) * 5) >> 5) - 2;
}

static void drift(void) {
    int16_t x = apple_x + wind;
    if (x < 0 || x > LAST_COLUMN) {
        wind = -wind;
        x = x < 0 ? 0 : LAST_COLUMN;
    }
    apple_x = (uint8_t)x;
}

static void judge(void) {
    uint8_t centre = apple_x + 8;
    if (centre >= basket_x && centre < basket_x + basket_width) {
        ++score;
        apple_y = SCREEN;  // in the basket, out of sight
    } else {
        ++misses;
        --lives;
    }
    ++drops;
    pause = PAUSE;
    game_over = lives == 0 || drops == DROPS;
}

static void fall_on(uint8_t level) {
    uint8_t far = fall + 12 + 2 * level;
    apple_y += far >> 2;
    fall = far & 3;
}

static void play(uint8_t buttons, uint8_t level) {
    move_basket(buttons, 4 + level);
    blow();
    if (pause == 0) {
        drift();
        fall_on(level);
        if (apple_y >= RIM) judge();
    } else {
        if (apple_y < GROUND) apple_y = GROUND;
        if (--pause == 0) new_apple();
    }
}

static void update(void) {
    uint8_t level = difficulty > 7 ? 7 : difficulty;
    uint8_t buttons = read_buttons();
    ++frames;
    basket_width = 32 - 2 * level;
    if (game_over && (buttons & START)) {  // for people; an experiment resets the plant
        seed = rng;
        restart = 1;
    }
    if (restart) {
        new_game();
    } else if (!game_over) {
        play(buttons, level);
    }
}

static void place_sprites(void) {
    uint8_t tile = apple_y == GROUND ? SPLASH_TILE : APPLE_TILE;
    uint8_t x = apple_x + 8, y = apple_y + 16;
    sprites[0].y = y;
    sprites[0].x = x;
    sprites[0].tile = tile;
    sprites[1].y = y;
    sprites[1].x = x + 8;
    sprites[1].tile = tile + 2;
    x = basket_x + 8;
    sprites[2].x = x;
    sprites[3].x = x + 8;
    x += basket_width;  // narrow baskets: the pieces overlap
    sprites[4].x = x - 16;
    sprites[5].x = x - 8;
}

static void draw_status(void) {
    uint8_t tens = 0, units = (uint8_t)score, column;
    while (units >= 10) {
        units -= 10;
        ++tens;
    }
    TILE_MAP[17] = DIGIT_TILE + tens;
    TILE_MAP[18] = DIGIT_TILE + units;
    for (column = 0; column != LIVES; ++column)
        TILE_MAP[1 + column] = column < lives ? LIFE_TILE : 0;
}

static void prepare_screen(void) {
    uint16_t index;
    while (LY != 144) {
    }
    LCDC = 0;
    for (index = 0; index != TILES * 16; ++index) TILE_DATA[index] = art[index];
    for (index = 0; index != 32 * 32; ++index) TILE_MAP[index] = 0;
    for (index = 0; index != 20; ++index) {
        TILE_MAP[32 + index] = LINE_TILE;
        TILE_MAP[17 * 32 + index] = GROUND_TILE;
    }
    for (index = 2; index != 6; ++index) {
        sprites[index].y = (uint8_t)(BASKET_Y + 16);
        sprites[index].tile = BASKET_TILE + 2;
    }
    sprites[2].tile = BASKET_TILE;
    sprites[5].tile = BASKET_TILE + 4;
    copy_sprites();
    SCX = 0;
    SCY = 0;
    BGP = 0xE4;
    OBP0 = 0xE4;
    LYC = 1;
    STAT = 0x40;
    LCDC = 0x97;  // on, tiles at 0x8000, sprites of 8x16, background
}

void main(void) {
    stochasticity = 64;
    seed = 1;
    restart = 1;
    prepare_screen();
    INTERRUPT_FLAGS = 0;
    INTERRUPT_ENABLE = 0x03;
    for (;;) {
        wait_interrupt();
        if (LY >= 144) {
            draw_status();
        } else {
            update();
            place_sprites();
            copy_sprites();
            last_line = LY;
        }
    }
}
