// Ids of real systems, and hostile ids.
#pragma once

#include "tests/unit/schemas/kit.hpp"

#include <array>

namespace marquee::test
{

struct real_id
{
    std::string text;
    std::string token;
};

/// Valid ids with their wire form, written out by hand.
inline const std::array real_ids{
    real_id{"123", "123"},
    real_id{"10.5240/7791-8534-2C23-9030-8610-5", "10=2E5240=2F7791-8534-2C23-9030-8610-5"},
    real_id{"anna.b+tv@example.org", "anna=2Eb=2Btv=40example=2Eorg"},
    real_id{"The Third Man", "The=20Third=20Man"},
    real_id{" ", "=20"},
    real_id{" x ", "=20x=20"},
    real_id{"Amélie", "Am=C3=A9lie"},
    real_id{"七人の侍", "=E4=B8=83=E4=BA=BA=E3=81=AE=E4=BE=8D"},
    real_id{"\xF0\x9F\x8E\xAC", "=F0=9F=8E=AC"},
    real_id{"\xF4\x8F\xBF\xBF", "=F4=8F=BF=BF"}, // U+10FFFF, the last code point
    real_id{"\xEF\xBF\xBD", "=EF=BF=BD"},
    real_id{"\xC2\xA0", "=C2=A0"}, // U+00A0, the first behind the C1 controls
    real_id{"_-_", "_-_"},
    // text with a meaning elsewhere, such as in SQL or a shell
    real_id{".", "=2E"},
    real_id{"..", "=2E=2E"},
    real_id{"a.b", "a=2Eb"},
    real_id{"*", "=2A"},
    real_id{">", "=3E"},
    real_id{"$SRV.PING", "=24SRV=2EPING"},
    real_id{"_INBOX.x", "_INBOX=2Ex"},
    real_id{"../../etc/passwd", "=2E=2E=2F=2E=2E=2Fetc=2Fpasswd"},
    real_id{"%00", "=2500"},
    real_id{"=41", "=3D41"},
    real_id{"=", "=3D"},
    real_id{"\"}{", "=22=7D=7B"},
    real_id{"\\r\\n", "=5Cr=5Cn"},
    real_id{"a:b", "a=3Ab"},
    real_id{"'; DROP TABLE views; --", "=27=3B=20DROP=20TABLE=20views=3B=20--"},
    real_id{std::string(128, 'a'), std::string(128, 'a')},
    real_id{std::string(128, '.'), // the longest token there is
            []
            {
                std::string token;
                for (int i = 0; i < 128; ++i)
                    token += "=2E";
                return token;
            }()},
};

struct bad_id
{
    const char* why;
    std::string text;
};

inline const std::array bad_ids{
    bad_id{"empty", ""},
    bad_id{"129 bytes", std::string(129, 'a')},
    bad_id{"129 bytes in 43 characters",
           []
           {
               std::string text;
               for (int i = 0; i < 43; ++i)
                   text += "\xE4\xB8\x83";
               return text;
           }()},
    bad_id{"NUL", "\0"s},
    bad_id{"NUL inside", "12\0003"s},
    bad_id{"CR LF", "1\r\nPUB metadata.put.2 0\r\n"},
    bad_id{"CR", "1\r"},
    bad_id{"LF", "\n1"},
    bad_id{"tab", "a\tb"},
    bad_id{"last C0 control", "\x1F"},
    bad_id{"DEL", "a\x7F"},
    bad_id{"first C1 control", "\xC2\x80"},
    bad_id{"next line, a C1 control", "a\xC2\x85"},
    bad_id{"last C1 control", "\xC2\x9F"},
    bad_id{"overlong slash in two bytes", "\xC0\xAF"},
    bad_id{"overlong NUL in two bytes", "\xC0\x80"},
    bad_id{"overlong in two bytes, C1 lead", "\xC1\xBF"},
    bad_id{"overlong slash in three bytes", "\xE0\x80\xAF"},
    bad_id{"overlong, the largest in three bytes", "\xE0\x9F\xBF"},
    bad_id{"overlong slash in four bytes", "\xF0\x80\x80\xAF"},
    bad_id{"overlong, the largest in four bytes", "\xF0\x8F\xBF\xBF"},
    bad_id{"first surrogate", "\xED\xA0\x80"},
    bad_id{"last surrogate", "\xED\xBF\xBF"},
    bad_id{"a pair of surrogates (CESU-8)", "\xED\xA0\xBC\xED\xBE\xAC"},
    bad_id{"beyond U+10FFFF", "\xF4\x90\x80\x80"},
    bad_id{"lead byte F5", "\xF5\x80\x80\x80"},
    bad_id{"lead byte FF", "\xFF"},
    bad_id{"lone continuation byte", "\x80"},
    bad_id{"continuation byte behind ASCII", "a\xBF"},
    bad_id{"cut after one of two", "\xC3"},
    bad_id{"cut after two of three", "a\xE4\xB8"},
    bad_id{"cut after three of four", "\xF0\x9F\x8E"},
    bad_id{"two-byte lead before ASCII", "\xC3("},
    bad_id{"Latin-1", "Am\xE9lie"},
};

} // namespace marquee::test
