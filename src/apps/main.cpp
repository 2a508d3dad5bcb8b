#include "apps/options.h"

int main(int argc, char** argv) {
  return twostroke::run_cli(argc, argv);
}
