#include "broker/base/instance_id.hpp"

#include <random>
#include <string_view>

namespace marquee
{

std::string make_instance_id()
{
    constexpr std::string_view alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    std::random_device random;
    std::uniform_int_distribution<std::size_t> pick(0, alphabet.size() - 1);
    std::string id;
    for (int i = 0; i < 22; ++i)
        id += alphabet[pick(random)];
    return id;
}

} // namespace marquee
