#include "services/catalogue/catalogue_program.hpp"
#include "services/metadata/metadata.hpp"

int main(int argc, char** argv) { return marquee::run_catalogue(argc, argv, marquee::metadata_program()); }
