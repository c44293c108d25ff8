#include "broker/nats/connection.hpp"
#include "services/catalogue/catalogue_program.hpp"
#include "services/metadata/metadata.hpp"

int main(int argc, char** argv)
{
    const marquee::nats_threads until_the_end;
    return marquee::run_catalogue(argc, argv, marquee::metadata_program());
}
