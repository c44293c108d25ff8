#define BOOST_TEST_MODULE catalogue_files
#include <boost/test/unit_test.hpp>
