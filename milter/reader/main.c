#include "config.h"

#include "missent/reader.h"

int main(int argc, char **argv)
{
	return ms_reader_main(argc, argv, &ms_reader_program);
}
