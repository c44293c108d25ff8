#include "services/catalogue/catalogue_program.hpp"
#include "services/cdnurl/cdnurl.hpp"

int main(int argc, char** argv) { return marquee::run_catalogue(argc, argv, marquee::cdnurl_program()); }
