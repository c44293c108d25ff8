#define BOOST_TEST_MODULE edge
#include <boost/test/unit_test.hpp>
