#include "common/digest.h"

#include <gtest/gtest.h>

#include <string>

namespace tunefleet::common {
namespace {

// Test vectors of FIPS 180-2, appendix B, and the empty message.
TEST(DigestTest, MatchesTheStandardsVectors) {
  EXPECT_EQ(HexDigest(Sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(HexDigest(Sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(HexDigest(Sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(HexDigest(Sha256(std::string(1000000, 'a'))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(DigestTest, PiecesGiveTheDigestOfTheWhole) {
  const std::string data("some bytes, \0 among them", 24);
  for (size_t cut = 0; cut <= data.size(); ++cut) {
    DigestStream stream;
    stream.Update(data.substr(0, cut));
    stream.Update(data.substr(cut));
    EXPECT_EQ(stream.Finish(), Sha256(data));
  }
}

TEST(DigestTest, IsRawBytesAndHexIsLowerCase) {
  EXPECT_EQ(Sha256("x").size(), kDigestBytes);
  EXPECT_EQ(HexDigest(absl::string_view("\x00\xab\xff", 3)), "00abff");
}

}  // namespace
}  // namespace tunefleet::common
