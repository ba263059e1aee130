// SPDX-License-Identifier: Apache-2.0
// blocks: pieces of four squares fall into a well, full rows vanish. One update a frame, always.
//
// The update runs at line 1, before the first line that shows a sprite (16), and the falling
// piece is made of sprites. So the picture of a frame shows what the buttons held at its start
// did: the game itself adds no delay. What takes longer, full rows, follows in the same frame.

#include "art.h"
#include "console.h"

// WRAM map, kept by README.md and realtime_rl/plants/roms/blocks.yaml.
volatile uint8_t __at(0xC000) speed;          // 0..15, more counts as 15
volatile uint8_t __at(0xC001) stochasticity;  // 0 no gusts .. 255 most
volatile uint16_t __at(0xC002) seed;
volatile uint8_t __at(0xC004) restart;        // not 0: the next frame starts a new game
volatile uint16_t __at(0xC005) score;
volatile uint16_t __at(0xC007) lines;         // rows cleared
volatile uint8_t __at(0xC009) game_over;
volatile uint8_t __at(0xC00A) level;          // 0..15
volatile uint8_t __at(0xC00B) kind;           // of the piece, 0..6
volatile uint8_t __at(0xC00C) next_kind;
volatile uint8_t __at(0xC00D) turn;           // 0..3, quarters clockwise
volatile uint8_t __at(0xC00E) place;          // index in the well of the piece's pivot
volatile uint8_t __at(0xC00F) wait;           // frames until the piece falls by a row
volatile uint8_t __at(0xC010) pause;          // frames until the next piece, 0: one is falling
volatile uint16_t __at(0xC011) frames;        // updates since power on
volatile uint8_t __at(0xC015) last_line;      // screen line at which the update was done
volatile uint16_t __at(0xC016) gust_rng;      // state of the gusts' generator, never 0
volatile uint16_t __at(0xC018) pieces;        // come to rest so far
volatile uint8_t __at(0xC01A) squares[4];     // indices in the well of the piece's squares
volatile uint8_t __at(0xC01E) settle_line;    // screen line at which full rows were dealt with
volatile uint8_t __at(0xC01F) draw_line;      // screen line at which the well was drawn
volatile uint8_t __at(0xC020) moving;         // the direction held in the last frame
volatile uint8_t __at(0xC021) move_wait;      // frames until it moves the piece again
volatile uint8_t __at(0xC022) turning;        // the turning button held in the last frame
volatile uint8_t __at(0xC023) turn_wait;      // frames until it turns the piece again
volatile uint8_t __at(0xC024) rows_to_level;  // rows until the level rises
volatile uint8_t __at(0xC025) rises;          // how often it has risen
volatile uint8_t __at(0xC026) task;           // what settle() has to do
volatile uint8_t __at(0xC027) landed;         // not 0: squares[] are to be drawn at rest
volatile uint8_t __at(0xC028) part;           // of the picture, drawn next
volatile uint8_t __at(0xC029) digits[10];     // of score, level, lines, as drawn

// 15 rows of 16, of which columns 0 to 9 are the well. What is beside and below it is wall, so
// that a square outside is a square taken. 0: free, 1 to 7: a square of kind 0 to 6, 8: wall.
volatile uint8_t __at(0xC300) well[256];
#define SQUARE(index) (*(volatile uint8_t *)(0xC300 | (uint8_t)(index)))  // well[], but faster

enum { EMPTY_TILE, WALL_TILE = 8, FALLING_TILE, DIGIT_TILE, LETTER_TILE = 20 };
enum { L_TILE = LETTER_TILE, V_TILE, N_TILE, E_TILE, X_TILE, T_TILE };
enum { NOTHING, CLEAR_ROWS, EMPTY_WELL };
enum {
    ROWS = 15,
    COLUMNS = 10,
    FLOOR = ROWS * 16,
    START_PLACE = 1 * 16 + 4,
    MOVE_EVERY = 6,     // [frames] while LEFT or RIGHT is held
    TURN_EVERY = 16,    // [frames] while A or B is held
    SOFT_WAIT = 2,      // [frames] per row while DOWN is held
    PAUSE = 9,          // [frames] after rows vanished: long enough to draw all anew
    ROWS_PER_LEVEL = 10,
    LAST_LEVEL = 15,
    TOP_TILE = 2,       // where the well begins on the screen [tiles]
    LEFT_TILE = 5,
};

#define AT(x, y) (uint8_t)((y) * 16 + (x))

// Squares relative to the pivot, for each kind and turn.
static const uint8_t shapes[7 * 4 * 4] = {
    // bar
    AT(-1, 0), AT(0, 0), AT(1, 0), AT(2, 0),    AT(0, -1), AT(0, 0), AT(0, 1), AT(0, 2),
    AT(-1, 0), AT(0, 0), AT(1, 0), AT(2, 0),    AT(0, -1), AT(0, 0), AT(0, 1), AT(0, 2),
    // square
    AT(0, 0), AT(1, 0), AT(0, 1), AT(1, 1),     AT(0, 0), AT(1, 0), AT(0, 1), AT(1, 1),
    AT(0, 0), AT(1, 0), AT(0, 1), AT(1, 1),     AT(0, 0), AT(1, 0), AT(0, 1), AT(1, 1),
    // tee
    AT(-1, 0), AT(0, 0), AT(1, 0), AT(0, 1),    AT(0, -1), AT(0, 0), AT(0, 1), AT(-1, 0),
    AT(-1, 0), AT(0, 0), AT(1, 0), AT(0, -1),   AT(0, -1), AT(0, 0), AT(0, 1), AT(1, 0),
    // right step
    AT(0, 0), AT(1, 0), AT(-1, 1), AT(0, 1),    AT(0, 0), AT(0, 1), AT(-1, -1), AT(-1, 0),
    AT(0, 0), AT(1, 0), AT(-1, 1), AT(0, 1),    AT(0, 0), AT(0, 1), AT(-1, -1), AT(-1, 0),
    // left step
    AT(-1, 0), AT(0, 0), AT(0, 1), AT(1, 1),    AT(0, -1), AT(0, 0), AT(-1, 0), AT(-1, 1),
    AT(-1, 0), AT(0, 0), AT(0, 1), AT(1, 1),    AT(0, -1), AT(0, 0), AT(-1, 0), AT(-1, 1),
    // right hook
    AT(-1, 0), AT(0, 0), AT(1, 0), AT(1, 1),    AT(0, -1), AT(0, 0), AT(0, 1), AT(-1, 1),
    AT(-1, 0), AT(0, 0), AT(1, 0), AT(-1, -1),  AT(0, -1), AT(0, 0), AT(0, 1), AT(1, -1),
    // left hook
    AT(-1, 0), AT(0, 0), AT(1, 0), AT(-1, 1),   AT(0, -1), AT(0, 0), AT(0, 1), AT(-1, -1),
    AT(-1, 0), AT(0, 0), AT(1, 0), AT(1, -1),   AT(0, -1), AT(0, 0), AT(0, 1), AT(1, 1),
};

// Frames per row, by level.
static const uint8_t falls[LAST_LEVEL + 1] = {
    30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 3, 2};

// For 0 to 4 rows at once.
static const uint8_t rewards[5] = {0, 10, 30, 60, 100};

static const uint8_t *shape(uint8_t facing) {
    return shapes + (uint8_t)((uint8_t)(kind << 2 | facing) << 2);
}

static uint8_t fits(uint8_t pivot, uint8_t facing) {
    const uint8_t *offset = shape(facing);
    if (SQUARE(pivot + *offset++)) return 0;
    if (SQUARE(pivot + *offset++)) return 0;
    if (SQUARE(pivot + *offset++)) return 0;
    return !SQUARE(pivot + *offset);
}

static void set_level(void) {
    uint8_t value = speed > LAST_LEVEL ? LAST_LEVEL : speed;
    value += rises;
    level = value > LAST_LEVEL ? LAST_LEVEL : value;
}

static uint8_t draw_kind(void) {
    uint16_t draw = random16() >> 8;
    return (uint8_t)((draw * 7) >> 8);
}

static void new_piece(void) {
    kind = next_kind;
    next_kind = draw_kind();
    turn = 0;
    place = START_PLACE;
    set_level();
    wait = falls[level];
    game_over = !fits(place, turn);
}

static void new_game(void) {
    uint8_t round;
    rng = seed ? seed : 0xACE1;
    for (round = 0; round != 8; ++round) random16();  // like seeds, unlike games
    gust_rng = rng == 0xFFFF ? 0xACE1 : ~rng;
    restart = 0;
    score = 0;
    lines = 0;
    pieces = 0;
    game_over = 0;
    rises = 0;
    rows_to_level = ROWS_PER_LEVEL;
    moving = 0;
    turning = 0;
    next_kind = draw_kind();
    pause = PAUSE;
    landed = 0;
    task = EMPTY_WELL;
}

// Drawn once a frame whatever happens, and apart from the pieces: these are the same in any wind.
static uint8_t is_gust(void) {
    uint16_t saved = rng, draw;
    rng = gust_rng;
    draw = random16();
    gust_rng = draw;
    rng = saved;
    return (draw & 0x1FFF) < stochasticity;
}

// A wall or a square beside it pushes a turning piece aside by one column.
static void turn_piece(uint8_t button) {
    uint8_t facing;
    if (button != turning) turn_wait = 0;
    turning = button;
    if (button != A && button != B) return;
    if (turn_wait) {
        --turn_wait;
        return;
    }
    turn_wait = TURN_EVERY - 1;
    facing = (button == A ? turn + 1 : turn - 1) & 3;
    if (fits(place, facing)) {
    } else if (fits(place - 1, facing)) {
        --place;
    } else if (fits(place + 1, facing)) {
        ++place;
    } else {
        return;
    }
    turn = facing;
}

static void push(uint8_t direction) {
    uint8_t pivot = direction == LEFT ? place - 1 : place + 1;
    if (fits(pivot, turn)) place = pivot;
}

static void move_piece(uint8_t button) {
    if (button != moving) move_wait = 0;
    moving = button;
    if (button != LEFT && button != RIGHT) return;
    if (move_wait) {
        --move_wait;
        return;
    }
    move_wait = MOVE_EVERY - 1;
    push(button);
}

static void find_squares(void) {
    const uint8_t *offset = shape(turn);
    squares[0] = place + *offset++;
    squares[1] = place + *offset++;
    squares[2] = place + *offset++;
    squares[3] = place + *offset;
}

static void add_score(uint8_t points) {
    uint16_t sum = score + points;
    score = sum < points ? 0xFFFF : sum;
}

static void land(void) {
    uint8_t value = kind + 1;
    find_squares();
    well[squares[0]] = value;
    well[squares[1]] = value;
    well[squares[2]] = value;
    well[squares[3]] = value;
    landed = 1;
    ++pieces;
    add_score(1);
    pause = 1;
    task = CLEAR_ROWS;
}

static void fall(uint8_t soft) {
    if (soft && wait > SOFT_WAIT) wait = SOFT_WAIT;
    if (--wait) return;
    if (fits(place + 16, turn)) {
        place += 16;
        wait = falls[level];
    } else {
        land();
    }
}

static void play(uint8_t buttons) {
    uint8_t gust = is_gust();
    if (pause && --pause == 0) {
        new_piece();
    } else if (!pause) {
        turn_piece(buttons & (A | B));
        if (gust) {
            push(gust_rng & 0x2000 ? RIGHT : LEFT);
        } else {
            move_piece(buttons & (LEFT | RIGHT));
        }
        fall(buttons & DOWN);
    }
}

static void update(void) {
    uint8_t buttons = read_buttons();
    ++frames;
    if (game_over && (buttons & START)) {  // for people; an experiment resets the plant
        seed = rng;
        restart = 1;
    }
    if (restart) {
        new_game();
    } else if (!game_over) {
        play(buttons);
    }
}

// A macro, since a pointer to the sprite would take a line of the screen more.
#define PLACE(index) \
    square = squares[index]; \
    sprites[index].y = ((square & 0xF0) >> 1) + (TOP_TILE * 8 + 16); \
    sprites[index].x = (uint8_t)(square << 3 & 0x78) + (LEFT_TILE * 8 + 8)

static void place_sprites(void) {
    uint8_t square;
    if (pause && !landed) {  // no piece: out of sight
        sprites[0].y = sprites[1].y = sprites[2].y = sprites[3].y = 0;
        return;
    }
    if (!landed) find_squares();
    PLACE(0);
    PLACE(1);
    PLACE(2);
    PLACE(3);
}

static uint8_t is_full(const volatile uint8_t *row) {
    uint8_t count;
    for (count = COLUMNS; count; --count)
        if (!*row++) return 0;
    return 1;
}

static void clear_rows(void) {
    uint8_t from = FLOOR, to = FLOOR, count = 0, column;
    while (from) {
        from -= 16;
        if (is_full(well + from)) {
            ++count;
            continue;
        }
        to -= 16;
        if (to != from)
            for (column = 0; column != COLUMNS; ++column)
                well[(uint8_t)(to + column)] = well[(uint8_t)(from + column)];
    }
    while (to) {
        to -= 16;
        for (column = 0; column != COLUMNS; ++column) well[(uint8_t)(to + column)] = 0;
    }
    if (!count) return;
    lines += count;
    while (count > 4) {  // only where the well was written from outside
        --count;
        add_score(rewards[1]);
    }
    add_score(rewards[count]);
    if (rows_to_level <= count) {
        rows_to_level += ROWS_PER_LEVEL;
        if (rises < LAST_LEVEL) ++rises;
    }
    rows_to_level -= count;
    pause = PAUSE;
}

static void empty_well(void) {
    uint8_t index = 0, column;
    do {
        column = index & 0x0F;
        well[index] = index >= FLOOR || column >= COLUMNS ? WALL_TILE : 0;
    } while (++index);
}

static uint8_t count_off(uint16_t *value, uint16_t unit) {
    uint8_t digit = DIGIT_TILE;
    while (*value >= unit && digit != DIGIT_TILE + 9) {
        *value -= unit;
        ++digit;
    }
    return digit;
}

static void find_digits(void) {
    uint16_t value = score;
    digits[0] = count_off(&value, 10000);
    digits[1] = count_off(&value, 1000);
    digits[2] = count_off(&value, 100);
    digits[3] = count_off(&value, 10);
    digits[4] = DIGIT_TILE + (uint8_t)value;
    value = level;
    digits[5] = count_off(&value, 10);
    digits[6] = DIGIT_TILE + (uint8_t)value;
    value = lines > 999 ? 999 : lines;
    digits[7] = count_off(&value, 100);
    digits[8] = count_off(&value, 10);
    digits[9] = DIGIT_TILE + (uint8_t)value;
}

// What need not be in this frame's picture, and takes longer than the lines above the well.
static void settle(void) {
    if (task == CLEAR_ROWS) clear_rows();
    if (task == EMPTY_WELL) empty_well();
    task = NOTHING;
    find_digits();
}

static volatile uint8_t *tile_at(uint8_t square) {
    return TILE_MAP + TOP_TILE * 32 + LEFT_TILE + ((uint16_t)(square & 0xF0) << 1)
           + (square & 0x0F);
}

static void draw_row(uint8_t first) {
    const volatile uint8_t *from = well + first;
    volatile uint8_t *to = tile_at(first);
    *to++ = *from++; *to++ = *from++; *to++ = *from++; *to++ = *from++; *to++ = *from++;
    *to++ = *from++; *to++ = *from++; *to++ = *from++; *to++ = *from++; *to = *from;
}

static void draw_next(void) {
    const uint8_t *offset = shapes + (uint8_t)(next_kind << 4);
    volatile uint8_t *to = TILE_MAP + 6 * 32 + 16;
    uint8_t count;
    for (count = 0; count != 4; ++count) to[count] = to[32 + count] = EMPTY_TILE;
    for (count = 0; count != 4; ++count) {
        uint8_t square = *offset++ + 1;
        to[(uint8_t)((uint8_t)(square & 0xF0) << 1) + (square & 0x0F)] = next_kind + 1;
    }
}

static void draw_digits(void) {
    volatile uint8_t *to = TILE_MAP + 8;
    uint8_t count;
    for (count = 0; count != 5; ++count) *to++ = digits[count];
    TILE_MAP[5 * 32 + 1] = digits[5];
    TILE_MAP[5 * 32 + 2] = digits[6];
    TILE_MAP[9 * 32 + 1] = digits[7];
    TILE_MAP[9 * 32 + 2] = digits[8];
    TILE_MAP[9 * 32 + 3] = digits[9];
}

// In the vertical blank: the piece that landed at once, the rest part by part, again and again.
static void draw(void) {
    uint8_t count, first;
    if (landed) {
        for (count = 0; count != 4; ++count) *tile_at(squares[count]) = well[squares[count]];
        landed = 0;
    }
    if (part < 5) {
        first = part * 48;
        draw_row(first);
        draw_row(first + 16);
        draw_row(first + 32);
    } else if (part == 5) {
        draw_next();
    } else {
        draw_digits();
    }
    part = part == 6 ? 0 : part + 1;
}

static void prepare_screen(void) {
    uint16_t index;
    while (LY != 144) {
    }
    LCDC = 0;
    for (index = 0; index != TILES * 16; ++index) TILE_DATA[index] = art[index];
    for (index = 0; index != 32 * 32; ++index) TILE_MAP[index] = EMPTY_TILE;
    for (index = TOP_TILE; index != TOP_TILE + ROWS + 1; ++index) {
        TILE_MAP[index * 32 + LEFT_TILE - 1] = WALL_TILE;
        TILE_MAP[index * 32 + LEFT_TILE + COLUMNS] = WALL_TILE;
    }
    for (index = 0; index != COLUMNS; ++index)
        TILE_MAP[(TOP_TILE + ROWS) * 32 + LEFT_TILE + index] = WALL_TILE;
    TILE_MAP[4 * 32 + 1] = L_TILE;
    TILE_MAP[4 * 32 + 2] = V_TILE;
    TILE_MAP[8 * 32 + 1] = L_TILE;
    TILE_MAP[8 * 32 + 2] = N_TILE;
    TILE_MAP[4 * 32 + 16] = N_TILE;
    TILE_MAP[4 * 32 + 17] = E_TILE;
    TILE_MAP[4 * 32 + 18] = X_TILE;
    TILE_MAP[4 * 32 + 19] = T_TILE;
    for (index = 0; index != 4; ++index) sprites[index].tile = FALLING_TILE;
    copy_sprites();
    SCX = 0;
    SCY = 0;
    BGP = 0xE4;
    OBP0 = 0xE4;
    LYC = 1;
    STAT = 0x40;
    LCDC = 0x93;  // on, tiles at 0x8000, sprites of 8x8, background
}

void main(void) {
    stochasticity = 64;
    seed = 1;
    restart = 1;
    empty_well();
    find_digits();
    prepare_screen();
    INTERRUPT_FLAGS = 0;
    INTERRUPT_ENABLE = 0x03;
    for (;;) {
        wait_interrupt();
        if (LY >= 144) {
            draw();
            draw_line = LY;
        } else {
            update();
            place_sprites();
            copy_sprites();
            last_line = LY;
            settle();
            settle_line = LY;
        }
    }
}
