#include "tuner/commands/json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

namespace tunefleet::tuner {
namespace {

TEST(JsonTest, StringsAreEscaped) {
  EXPECT_EQ(JsonString("a\"b\\c\nd\te\x01"), "\"a\\\"b\\\\c\\nd\\u0009e\\u0001\"");
  EXPECT_EQ(JsonString("µs ✓ 𝄞"), "\"µs ✓ 𝄞\"");
}

TEST(JsonTest, BytesThatAreNotUtf8AreReplaced) {
  EXPECT_EQ(JsonString("a\xff"), "\"a\\ufffd\"");
  EXPECT_EQ(JsonString("\xc3"), "\"\\ufffd\"");                        // cut short
  EXPECT_EQ(JsonString("\xc0\xaf"), "\"\\ufffd\\ufffd\"");             // overlong
  EXPECT_EQ(JsonString("\xed\xa0\x80"), "\"\\ufffd\\ufffd\\ufffd\"");  // a surrogate
}

TEST(JsonTest, ObjectsKeepTheirOrder) {
  EXPECT_EQ(JsonObject().Integer("b", -1).Text("a", "x").Bool("c", true).Null("d").Raw("e", "[1]").Print(),
            R"({"b":-1,"a":"x","c":true,"d":null,"e":[1]})");
  EXPECT_EQ(JsonObject().Print(), "{}");
  EXPECT_EQ(JsonArray({"1", "{}"}), "[1,{}]");
}

TEST(JsonTest, NumbersThatAreNoneBecomeNull) {
  EXPECT_EQ(JsonObject().Number("x", 0.25).Number("y", NAN).Number("z", INFINITY).Print(),
            R"({"x":0.25,"y":null,"z":null})");
}

}  // namespace
}  // namespace tunefleet::tuner
