#include "broker/nats/connection.hpp"
#include "services/catalogue/catalogue_program.hpp"
#include "services/cdnurl/cdnurl.hpp"

int main(int argc, char** argv)
{
    const marquee::nats_threads until_the_end;
    return marquee::run_catalogue(argc, argv, marquee::cdnurl_program());
}
